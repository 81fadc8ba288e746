// Every English word of the page, the pad and the walkable network; to translate them, translate this file.

const percent = (share) => `${(100 * share).toFixed(1)} %`;
const withArticle = (digit) => `${digit === 8 ? "an" : "a"} ${digit}`;
const capital = (words) => words[0].toUpperCase() + words.slice(1);
const count = (number, word) => `${number} ${word}${number === 1 ? "" : "s"}`;

export const TEXTS = {
  digits: {
    noInk: "There is no ink: draw a digit that stands out from its paper.",
    several: (number) => `There are ${number} digits: draw one.`,
  },
  pad: {
    paper: "Drawing pad: draw one digit with the mouse, a finger, a pen or the arrow keys",
    keys: "Arrow keys move the pen. Space lowers and lifts it. Ctrl+Z takes the last stroke back.",
    penDown: "Pen down",
    penUp: "Pen up",
    clear: "Clear",
    undo: "Undo",
    bars: "Probability of each digit",
    read: "Read",
    waiting: "Reading …",
  },
  explorer: {
    pictures: "Digit to look at",
    layers: {
      input: { title: "28 × 28 pixels", made: "the input", about: "A pixel: 0 is paper, 1 is ink." },
      conv1: {
        title: "32 maps of 26 × 26", made: "convolution 3 × 3, ReLU",
        about: "Nine neighbouring pixels, each times its number in the filter, added up.",
      },
      pool1: { title: "32 maps of 13 × 13", made: "largest of 2 × 2", about: "The largest of four neighbours." },
      conv2: {
        title: "64 maps of 11 × 11", made: "convolution 3 × 3, ReLU",
        about: "Nine neighbours in each of the 32 maps before: 288 products, added up. These are the strongest.",
      },
      pool2: { title: "64 maps of 5 × 5", made: "largest of 2 × 2", about: "The largest of four neighbours." },
      dense: {
        title: "128 features", made: "dense, ReLU",
        about: "All 1,600 values of the maps before, each times a weight, added up. These are the strongest.",
      },
      probabilities: {
        title: "10 digits", made: "softmax",
        about: "All 128 features, each times a weight, added up. These are the strongest.",
      },
    },
    legend: "largest value of its layer",
    range: (largest) => `0 to ${largest}`,
    sum: "How the value came about",
    keysMaps: "Press Enter to choose a value here. Arrow keys go from map to map.",
    keysValues: "Press Enter to choose a value here. Arrow keys go from value to value.",
    previous: "Previous map",
    next: "Next map",
    map: (number, count) => `map ${number} of ${count}`,
    before: ({ map }, { name, maps }, isSame) =>
      maps === 1 ? "Its window in the pixels" : `Its window in map ${map + 1}${isSame ? "" : ", of the strongest product"}`,
    place: ({ map, row, column }, { name, side, maps }, value) => ({
      probabilities: `Probability of ${map}: ${value}`,
      dense: `Feature ${map + 1}: ${value}`,
    })[name] ?? `${maps > 1 ? `Map ${map + 1}, row` : "Row"} ${row + 1}, column ${column + 1}: ${value}`,
    source: ({ map, row, column }, { side }) =>
      side === 1 ? `feature ${map + 1}` : `map ${map + 1}, row ${row + 1}, column ${column + 1}`,
    window: "window",
    filter: "filter",
    products: "products",
    four: "window",
    weight: (row, column) => `Filter, row ${row}, column ${column}`,
    columns: ["from", "value", "× weight", "= product"],
    nine: "the nine products together",
    rest: (count) => `the other ${count.toLocaleString("en")} products together`,
    bias: "+ bias",
    total: "= sum",
    largest: "the largest of them",
    cut: "ReLU: below 0, so it becomes 0",
    kept: "ReLU: above 0, so it stays",
    softmax: "softmax: e to this sum, as a share of all ten",
    reset: "Set the filters back",
    effect: (digit, percent, newDigit, newPercent) =>
      `With the trained filters: ${digit} (${percent} %). With yours: ${newDigit} (${newPercent} %).`,
  },
  page: {
    title: "Draw a digit and watch the network read it",
    promise: "Nothing leaves this file, and every number that you see was computed in it, now.",
    reading: "Draw and read",
    invitation: "Draw one digit, from 0 to 9.",
    reads: (digit, probability) =>
      `${probability >= 0.5 ? "This is" : "Not sure, perhaps"} ${withArticle(digit)} (${percent(probability)}).`,
    right: (label) => `A test digit, labelled ${label}.`,
    wrong: (label) => `A test digit, labelled ${label}: misread.`,
    edited: "You have changed a filter.",
    seen: "what the network sees: 28 × 28 pixels, the digit scaled and centred as in MNIST",
    seenAs: (digit) => `28 × 28 pixels${digit === undefined ? "" : `, read as ${withArticle(digit)}`}`,
    network: "Network",
    networks: {
      robust: "Trained on MNIST's digits, bent and redrawn, and on digits of other styles: for handwriting like yours.",
      standard: "The network of the lessons, trained on MNIST as it is. In this file its weights are rounded to 8 bits.",
    },
    sources: "Or take",
    random: "a test digit",
    misread: "one that it misreads",
    file: "a picture",
    drop: "You can also drop a picture anywhere on this page.",
    walk: "Walk through the network",
    walkAbout:
      "Touch any value. Its window in the layer before lights up, and you see the sum that made it. In the first convolution you can change the filter's nine numbers.",
    trials: "Try to break it",
    footer: "Part of a course on handwritten digits with Keras, whose notebooks explain every step that you see here.",
    files: {
      tooManyBytes: (name, most) => `${name} is larger than ${most} MB: save a smaller copy.`,
      noPicture: (name) => `${name} is not a picture that can be read here: choose a PNG, JPEG, WebP, GIF or BMP.`,
      tooManyPixels: (name, width, height, most) =>
        `${name} has ${width} × ${height} pixels, more than ${most} million: save a smaller copy.`,
      damaged: (name) => `${name} is damaged or cut short: save the picture again.`,
      photo: (name) => `${name} looks like a photograph, whose paper is not evenly light: test_model.py reads those.`,
    },
  },
  cover: {
    title: "Cover a part",
    about: "The grey square is a piece of empty paper. Move it: where must it lie so that the digit is read as another?",
    label: "The digit with a square of paper on it",
    keys: "Arrow keys move the square.",
    covered: (digit, probability) => `covered here: ${withArticle(digit)} (${percent(probability)})`,
    everywhere: "Try all 576 places",
    map: (digit) => `How probable a ${digit} stays with the square at each place.`,
    worst: (digit, { row, column, probability, now }) =>
      now.digit === digit
        ? `Wherever it lies, the ${digit} is still read: at worst, at row ${row + 1}, column ${column + 1}, with ${percent(probability)}.`
        : `At its worst place, row ${row + 1}, column ${column + 1}, the ${digit} keeps ${percent(probability)} and is read as ${
          withArticle(now.digit)} (${percent(now.probability)}). The map shows what is left when the square lies there.`,
  },
  changes: {
    title: "Move, turn, thicken",
    about: "How much can the digit bear? Guess first; then the slider is yours.",
    which: "What is done to the digit",
    kinds: {
      move: {
        name: "Move", question: "It is still read when moved to the right by", unit: "pixels",
        by: (value) => `moved by ${count(Math.abs(value), "pixel")}${value < 0 ? " to the left" : value > 0 ? " to the right" : ""}`,
      },
      turn: {
        name: "Turn", question: "It is still read when turned clockwise by", unit: "degrees",
        by: (value) => `turned by ${Math.abs(value)}°${value < 0 ? " anticlockwise" : value > 0 ? " clockwise" : ""}`,
      },
      thicken: {
        name: "Thicken", question: "It is still read with strokes that grow on each side by", unit: "pixels",
        by: (value) => `${count(Math.abs(value), "pixel")} ${value < 0 ? "thinner" : "thicker"} on each side`,
      },
    },
    compare: "Compare",
    unchanged: "as it is",
    noGuess: (most) => `Type your guess first, a number from 0 to ${most}.`,
    reads: (digit, probability) => `${withArticle(digit)} (${percent(probability)})`,
    never: (guess, digit, most) => `You guessed ${guess}. It bears more than the slider offers: ${most}, it is still read as ${withArticle(digit)}.`,
    found: (guess, digit, kept, lost, now, difference) =>
      `You guessed ${guess}. ${kept ? `${capital(kept)}, it is still read as ${withArticle(digit)}; ${lost}` : capital(lost)}, it becomes ${
        withArticle(now.digit)} (${percent(now.probability)}). ${
        difference === 0 ? "Exactly." : `It bears ${difference > 0 ? "less" : "more"} than you thought.`}`,
  },
};
