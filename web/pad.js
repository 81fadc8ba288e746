// The paper that one draws a digit on, and ten bars for what was read: used by the page and by the pad of notebook 06.

import { keepKeys } from "./keys.js";

const PAPER = 280, PEN_WIDTH = 18, PEN_STEP = 7;  // pixels; PEN_STEP is how far an arrow key moves the pen
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/**
 * Put white paper with the buttons Clear and Undo into `element`: drawn on with the mouse, a finger, a pen or the arrow
 * keys, 280 x 280 pixels, black ink. `onChange` is called whenever the picture has changed, `onLift` when the pen was
 * lifted from it or a button was pressed. `load` shows a picture; with `replaced` it leaves when the next stroke begins.
 */
export function createPad(element, { texts, onChange = () => {}, onLift = () => {} }) {
  element.classList.add("digit-pad");
  const releaseKeys = keepKeys(element);
  element.innerHTML = `
    <div class="paper">
      <canvas width="${PAPER}" height="${PAPER}" tabindex="0" role="application"
        aria-label="${texts.paper}" aria-description="${texts.keys}"></canvas>
      <span class="pen" aria-hidden="true"></span>
      <p class="keys" aria-hidden="true">${texts.keys}</p>
      <span class="unseen" aria-live="polite"></span>
    </div>
    <div class="buttons"><button type="button">${texts.clear}</button> <button type="button">${texts.undo}</button></div>`;
  const canvas = element.querySelector("canvas"), nib = element.querySelector(".pen");
  const spoken = element.querySelector(".unseen"), buttons = element.querySelector(".buttons");
  const [clearButton, undoButton] = buttons.children;
  const ink = canvas.getContext("2d", { willReadFrequently: true });
  Object.assign(ink, { lineWidth: PEN_WIDTH, lineCap: "round", lineJoin: "round", fillStyle: "white" });

  let marks = [];  // what came onto the paper, in order: a stroke (a list of points), a picture, or null for a clearing
  let stroke = null;  // the last mark while the pen touches the paper
  let leaves = false;  // whether the picture on the paper leaves when the next stroke begins
  let place = [PAPER / 2, PAPER / 4];  // of the pen that the keys move
  const held = new Set();  // arrow keys, of which two together move the pen aslant

  const isWhite = () => !marks.length || marks.at(-1) === null;

  function drawLine(from, to) {
    ink.beginPath();
    ink.moveTo(...from);
    ink.lineTo(to[0] + 0.01, to[1]);  // a line of no length leaves no ink, yet a dot should
    ink.stroke();
  }

  function repaint() {
    ink.fillRect(0, 0, PAPER, PAPER);
    for (const mark of marks) {
      if (mark === null) ink.fillRect(0, 0, PAPER, PAPER);
      else if (Array.isArray(mark)) mark.forEach((point, number) => drawLine(mark[Math.max(0, number - 1)], point));
      else ink.drawImage(mark, 0, 0, PAPER, PAPER);
    }
    undoButton.disabled = !marks.length;
  }

  function drawTo(point) {
    if (!stroke) {
      if (leaves) marks = [];
      leaves = false;
      marks.push(stroke = []);
      repaint();
    }
    drawLine(stroke.at(-1) ?? point, point);
    stroke.push(point);
    onChange();
  }

  function lift() {
    if (!stroke) return;
    stroke = null;
    nib.classList.remove("down");
    onLift();
  }

  function change(newMarks) {
    stroke = null;
    leaves = false;
    marks = newMarks;
    nib.classList.remove("down");
    repaint();
    onChange();
    onLift();
  }

  const clear = () => change(isWhite() ? marks : [...marks, null]);
  const undo = () => change(marks.slice(0, -1));

  function load(picture, { replaced = false } = {}) {
    marks = [picture];
    stroke = null;
    leaves = replaced;
    repaint();
  }

  canvas.onpointerdown = (event) => {
    if (!event.isPrimary || event.button !== 0) return;
    event.preventDefault();  // a notebook selects no text and drags no cell
    lift();
    canvas.setPointerCapture(event.pointerId);
    drawTo(pointOf(event));
  };
  canvas.onpointermove = (event) => {
    if (!canvas.hasPointerCapture(event.pointerId)) return;
    const passed = event.getCoalescedEvents?.() ?? [];
    for (const point of passed.length ? passed : [event]) drawTo(pointOf(point));
  };
  canvas.onlostpointercapture = lift;

  function pointOf(event) {
    const box = canvas.getBoundingClientRect();
    return [(event.clientX - box.left) * PAPER / box.width, (event.clientY - box.top) * PAPER / box.height];
  }

  function showNib() {
    nib.style.left = `${100 * place[0] / PAPER}%`;
    nib.style.top = `${100 * place[1] / PAPER}%`;
    nib.classList.toggle("down", stroke !== null);
  }

  canvas.onkeydown = (event) => {
    if (event.key === "z" && (event.ctrlKey || event.metaKey)) undo();
    else if (event.ctrlKey || event.metaKey || event.altKey) return;
    else if (event.key in ARROWS) {
      held.add(event.key);
      for (const key of held) {
        place = place.map((value, axis) => Math.min(PAPER, Math.max(0, value + PEN_STEP * ARROWS[key][axis])));
      }
      if (stroke) drawTo(place);
    } else if (event.key === " ") {
      if (event.repeat) return event.preventDefault();
      if (stroke) lift(); else drawTo(place);
      spoken.textContent = stroke ? texts.penDown : texts.penUp;
    } else if (event.key === "Escape" && stroke) lift();
    else return;
    event.preventDefault();
    showNib();
  };
  canvas.onkeyup = (event) => held.delete(event.key);
  canvas.onblur = () => {
    held.clear();
    lift();
  };

  clearButton.onclick = clear;
  undoButton.onclick = undo;
  repaint();
  showNib();
  function destroy() {
    releaseKeys();
    element.replaceChildren();
  }

  return { canvas, buttons, clear, undo, isWhite, load, destroy };
}

/** Put ten bars, one a digit, into `element`; `show` takes ten probabilities, or nothing for empty bars. */
export function createBars(element, { texts }) {
  element.classList.add("digit-bars");
  element.innerHTML = `<ol aria-label="${texts.bars}">${[..."0123456789"].map((digit) =>
    `<li><b>${digit}</b><span class="track"><span></span></span><span class="percent"></span></li>`).join("")}</ol>`;
  const rows = [...element.querySelectorAll("li")].map((row) =>
    ({ row, fill: row.querySelector(".track span"), percent: row.querySelector(".percent") }));
  return {
    show(probabilities = []) {
      const best = Math.max(...probabilities);
      rows.forEach(({ row, fill, percent }, digit) => {
        const share = probabilities[digit];
        row.classList.toggle("best", share === best);
        fill.style.width = `${100 * (share ?? 0)}%`;
        percent.textContent = share === undefined ? "" : `${(100 * share).toFixed(1)} %`;
      });
    },
  };
}
