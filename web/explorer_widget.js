// The walkable network of notebook 07: the weights and the pictures to choose from come from the kernel.

import { GREYS, paintValues } from "./colours.js";
import { createExplorer } from "./explorer.js";
import { createNetwork, decodeWeights } from "./network.js";
import { TEXTS } from "./texts.js";

function render({ model, el }) {
  const texts = TEXTS.explorer, packed = model.get("_weights"), titles = model.get("_titles");
  const { buffer, byteOffset, byteLength } = model.get("_images"), greys = new Uint8Array(buffer, byteOffset, byteLength);
  el.classList.add("network-widget");
  el.innerHTML = `<div class="pictures" role="group" aria-label="${texts.pictures}"></div><div class="walk"></div>`;
  const network = createNetwork(decodeWeights(packed.text, packed));
  const explorer = createExplorer(el.querySelector(".walk"), { network, texts });
  const buttons = titles.map((title, number) => {
    const pixels = Float32Array.from(greys.subarray(784 * number, 784 * (number + 1)), (grey) => grey / 255);
    const button = document.createElement("button"), picture = document.createElement("canvas");
    Object.assign(button, { type: "button", title, onclick: choose });
    button.setAttribute("aria-label", title);
    paintValues(picture, [...pixels], 28, GREYS);
    button.append(picture);
    function choose() {
      for (const other of buttons) other.setAttribute("aria-pressed", other === button);
      explorer.show(pixels);
    }
    return button;
  });
  el.querySelector(".pictures").append(...buttons);
  buttons[0].onclick();
  return () => explorer.destroy();
}
export default { render };
