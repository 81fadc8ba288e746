// The page: a digit is drawn, chosen or dropped, read at once, and its way through the network shown.

import { GREYS, paintValues } from "./colours.js";
import { toMnist } from "./digits.js";
import { createExplorer } from "./explorer.js";
import { createNetwork, decodeWeights } from "./network.js";
import { createBars, createPad } from "./pad.js";
import { openPicture } from "./pictures.js";
import { TEXTS } from "./texts.js";
import { best, createChanges, createCover } from "./trials.js";

const REST = 700;  // milliseconds without the pen before the reading is spoken
const texts = TEXTS.page, at = (id) => document.getElementById(id);
const dataOf = (id) => JSON.parse(at(id).textContent);

document.title = texts.title;
for (const element of document.querySelectorAll("[data-text]")) element.textContent = texts[element.dataset.text];
for (const element of document.querySelectorAll("[data-label]")) element.setAttribute("aria-label", texts[element.dataset.label]);

// ---------------------------------------------------------------- the networks and the sample digits

const packed = dataOf("weights"), networks = {};
let network;

function useNetwork(name) {
  networks[name] ??= createNetwork(decodeWeights(packed[name].text, packed[name]));
  network = networks[name];
  at("about-network").textContent = texts.networks[name];
}

/** The sample digits: a list of { pixels, label, misread }. */
async function unpackSamples({ png, labels, misread }) {
  const bytes = Uint8Array.from(atob(png.split(",")[1]), (character) => character.charCodeAt(0));
  const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
  const canvas = Object.assign(document.createElement("canvas"), { width: bitmap.width, height: bitmap.height });
  const ink = canvas.getContext("2d", { willReadFrequently: true });
  ink.drawImage(bitmap, 0, 0);
  const columns = bitmap.width / 28;
  return labels.map((label, number) => {
    const { data } = ink.getImageData(28 * (number % columns), 28 * Math.floor(number / columns), 28, 28);
    return { pixels: Float32Array.from({ length: 784 }, (_, place) => data[4 * place] / 255), label, misread: misread[number] };
  });
}

// ---------------------------------------------------------------- reading

let pixels = new Float32Array(784), note = "", isEdited = false, speaking, drawn, settled;

/** Read `pixels`, or say why there is nothing to read; `rest` also gives the digit to the trials and speaks. */
function read({ problem = "", rest = false } = {}) {
  const activations = network.read(pixels);
  if (problem) {
    bars.show();
    at("digit").textContent = "";
    at("sentence").textContent = problem;
  } else {
    const { digit, probability } = best(activations.probabilities);
    bars.show(activations.probabilities);
    at("digit").textContent = digit;
    at("sentence").textContent = texts.reads(digit, probability);
  }
  at("note").textContent = [note, isEdited ? texts.edited : ""].join(" ").trim();
  paintValues(at("seen"), pixels, 28, GREYS);
  explorer.show(pixels, activations);
  if (!rest) return;
  if (settled !== pixels || isEdited) {
    cover.show(pixels, network);
    changes.show(pixels, network);
  }
  settled = pixels;
  clearTimeout(speaking);
  speaking = setTimeout(() => {
    const words = `${at("sentence").textContent} ${at("note").textContent}`.trim();
    if (at("spoken").textContent !== words) at("spoken").textContent = words;
  }, REST);
}

function readPad({ rest = false } = {}) {
  cancelAnimationFrame(drawn);
  drawn = undefined;
  note = "";
  if (pad.isWhite()) {
    pixels = new Float32Array(784);
    return read({ problem: texts.invitation, rest });
  }
  const { width, height } = pad.canvas, colours = pad.canvas.getContext("2d").getImageData(0, 0, width, height).data;
  const grey = new Uint8Array(width * height);
  for (let place = 0; place < grey.length; place++) grey[place] = colours[4 * place];
  readGrey(grey, width, height, { rest });
}

function readGrey(grey, width, height, { rest }) {
  try {
    pixels = Float32Array.from(toMnist(grey, width, height), (value) => value / 255);
    read({ rest });
  } catch (error) {  // several digits or no ink, which toMnist says in a sentence
    read({ problem: error.message, rest });
  }
}

function showSample({ pixels: sample, label }) {
  pixels = sample;
  const digit = best(network.read(pixels).probabilities).digit;
  note = digit === label ? texts.right(label) : texts.wrong(label);
  const picture = document.createElement("canvas");
  paintValues(picture, sample.map((value) => 1 - value), 28, GREYS);
  pad.load(picture, { replaced: true });
  read({ rest: true });
}

async function showFile(file) {
  if (!file) return;
  note = "";
  try {
    const { grey, width, height, canvas } = await openPicture(file, texts.files);
    const paper = Object.assign(document.createElement("canvas"), { width: 280, height: 280 }), ink = paper.getContext("2d");
    const scale = 280 / Math.max(width, height);
    ink.fillStyle = "white";
    ink.fillRect(0, 0, 280, 280);
    ink.drawImage(canvas, (280 - scale * width) / 2, (280 - scale * height) / 2, scale * width, scale * height);
    pad.load(paper, { replaced: true });
    readGrey(grey, width, height, { rest: true });
  } catch (error) {
    read({ problem: error.message, rest: true });
  }
}

// ---------------------------------------------------------------- what is on the page

useNetwork("robust");
const bars = createBars(at("bars"), { texts: TEXTS.pad });
const explorer = createExplorer(at("network"), {
  network, texts: TEXTS.explorer, onEdit: (edited) => { isEdited = edited; read({ rest: true }); },
});
const cover = createCover(at("cover"), { texts: TEXTS.cover }), changes = createChanges(at("changes"), { texts: TEXTS.changes });
const pad = createPad(at("pad"), {
  texts: TEXTS.pad,
  onChange: () => { drawn ??= requestAnimationFrame(() => readPad()); },
  onLift: () => readPad({ rest: true }),
});

const choice = at("networks");
choice.insertAdjacentHTML("beforeend", Object.keys(packed).map((name) =>
  `<label><input type="radio" name="network" value="${name}"${networks[name] ? " checked" : ""}>${name}</label>`).join(""));
choice.onchange = ({ target }) => {
  useNetwork(target.value);
  explorer.setNetwork(network);
  settled = undefined;
  if (shown) showSample(shown); else read({ rest: true });
};

const samples = await unpackSamples(dataOf("samples"));
let last;

/** A sample at random for which `isWanted` holds, another than the last. */
function anySample(isWanted) {
  const wanted = samples.filter((sample) => sample !== last && isWanted(sample));
  return last = wanted[Math.floor(Math.random() * wanted.length)];
}

at("random").onclick = () => showSample(anySample(({ misread }) => !misread));
at("misread").onclick = () =>
  showSample(anySample(({ pixels: sample, label, misread }) => misread && best(network.read(sample).probabilities).digit !== label));
at("file").onchange = ({ target }) => {
  showFile(target.files[0]);
  target.value = "";  // the same file may be chosen again
};
document.ondragover = (event) => event.preventDefault();
document.ondrop = (event) => {
  event.preventDefault();
  showFile(event.dataTransfer.files[0]);
};

showSample(anySample(({ misread }) => !misread));
performance.mark("first reading");
