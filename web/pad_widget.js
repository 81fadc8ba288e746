// The pad of notebook 06. It shares two values with the kernel: the page sets _drawing, the picture as a PNG data URL
// ("" when the paper is white) and a number that grows with every request; the kernel sets _answer, which repeats the
// number it answers.

import { createBars, createPad } from "./pad.js";
import { TEXTS } from "./texts.js";

const PAUSE = 500;  // milliseconds without the pen before the picture is read: time to cross a 7 or to finish a 4

function render({ model, el }) {
  const texts = TEXTS.pad;
  el.classList.add("drawing-pad");
  el.innerHTML = `<div class="pad"></div><div class="answer"><p role="status"></p><div class="bars"></div></div>`;
  const status = el.querySelector("p"), bars = createBars(el.querySelector(".bars"), { texts });
  let timer;
  const pad = createPad(el.querySelector(".pad"), {
    texts,
    onChange: () => clearTimeout(timer),
    onLift: () => { timer = setTimeout(ask, pad.isWhite() ? 0 : PAUSE); },
  });
  const read = document.createElement("button");
  Object.assign(read, { type: "button", textContent: texts.read, onclick: ask });
  pad.buttons.append(read);

  function ask() {
    clearTimeout(timer);
    const { number } = model.get("_drawing");
    model.set("_drawing", { number: number + 1, png: pad.isWhite() ? "" : pad.canvas.toDataURL() });
    model.save_changes();
  }

  function show() {
    const { number, png } = model.get("_drawing"), answer = model.get("_answer");
    const waiting = answer.number !== number;
    status.textContent = waiting ? (png ? texts.waiting : "") : answer.sentence;
    if (!waiting || !png) bars.show(waiting ? [] : answer.probabilities);  // the old bars stay until new ones are known
  }

  const { png } = model.get("_drawing");
  if (png) {  // the page was reloaded: show the picture that the kernel still holds
    const picture = new Image();
    picture.onload = () => pad.load(picture);
    picture.src = png;
  }
  show();
  model.on("change:_drawing", show);
  model.on("change:_answer", show);
  return () => {
    clearTimeout(timer);
    model.off("change:_drawing", show);
    model.off("change:_answer", show);
    pad.destroy();
  };
}
export default { render };
