// Every English word of the page, the pad and the walkable network; to translate them, translate this file.

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
      input: { title: "28 × 28 pixels", made: "what the network sees", about: "A pixel: 0 is paper, 1 is ink." },
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
        title: "10 digits", made: "dense, softmax",
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
};
