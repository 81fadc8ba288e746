// The network as a picture that one can walk through, value by value: used by the page and by notebook 07.

import { CIVIDIS, GREYS, paintValues } from "./colours.js";
import { keepKeys } from "./keys.js";

// Every layer is a row of square maps. A convolution looks at a window of `kernel` x `kernel` values in all maps of the
// layer before; so does a dense layer, whose window is all there is. `weights` is the place of its kernel among the
// network's weights; its bias comes next.
const WALK = [
  { name: "input", side: 28, maps: 1, columns: 1, zoom: 8, gap: 0 },
  { name: "conv1", side: 26, maps: 32, columns: 8, zoom: 2, gap: 4, kernel: 3, weights: 0 },
  { name: "pool1", side: 13, maps: 32, columns: 8, zoom: 3, gap: 4, pool: 2 },
  { name: "conv2", side: 11, maps: 64, columns: 8, zoom: 4, gap: 5, kernel: 3, weights: 2 },
  { name: "pool2", side: 5, maps: 64, columns: 8, zoom: 6, gap: 4, pool: 2 },
  { name: "dense", side: 1, maps: 128, columns: 8, zoom: 16, gap: 3, kernel: 5, weights: 4 },
  { name: "probabilities", side: 1, maps: 10, columns: 1, zoom: 24, gap: 3, kernel: 1, weights: 6 },
];
const STRONGEST = 8;  // products that are listed; the others are added up
const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

/** A number as one reads it, with a minus sign of full width. */
function inDigits(value, decimals = 3) {
  const text = value.toFixed(decimals);
  return Number(text) === 0 ? text.replace("-", "") : text.replace("-", "−");
}

/**
 * Show the network's layers in `element`: `show` takes the 784 pixels that it reads, from 0 (paper) to 1 (ink), and, if
 * one has it, what `network.read` made of them. A touched value shows how it was computed from the layer before it.
 * `onEdit` is called after a filter of the first layer was changed in `network.weights`, or set back.
 */
export function createExplorer(element, { network, texts, onEdit = () => {} }) {
  const trained = new WeakMap();  // of each network the first layer's weights before anybody changed them
  let pixels, activations, chosen, walked = false;

  element.classList.add("network-explorer");
  const releaseKeys = keepKeys(element);
  element.innerHTML = `
    <div class="layers">${WALK.map(({ name }) => `
      <figure data-layer="${name}">
        <figcaption><b>${texts.layers[name].title}</b> <span>${texts.layers[name].made}</span></figcaption>
        <div class="maps" tabindex="0" role="application" aria-label="${texts.layers[name].title}"
          aria-description="${texts.keysMaps}"><canvas></canvas><span class="marks"></span>${
          name === "probabilities" ? `<ol aria-hidden="true">${[..."0123456789"].map((digit) => `<li>${digit}</li>`).join("")}</ol>` : ""}</div>
        <small class="range"></small>
      </figure>`).join("")}
    </div>
    <p class="legend"><span>0</span><canvas class="scale" width="256" height="1"></canvas><span>${texts.legend}</span></p>
    <div class="stage">
      <section class="before"><h3></h3><div class="map" tabindex="0" role="application"
        aria-description="${texts.keysValues}"><canvas></canvas><span class="marks"></span></div></section>
      <section class="sum" aria-label="${texts.sum}"></section>
      <section class="chosen"><h3></h3><div class="map" tabindex="0" role="application"
        aria-description="${texts.keysValues}"><canvas></canvas><span class="marks"></span></div>
        <div class="turn"><button type="button" aria-label="${texts.previous}">‹</button><span></span><button
          type="button" aria-label="${texts.next}">›</button></div></section>
    </div>
    <span class="unseen" aria-live="polite"></span>`;
  const find = (selector) => element.querySelector(selector);
  const panel = find(".sum"), spoken = find(".unseen");
  const layers = WALK.map((layer) => ({ ...layer, ...makeLayer(layer) }));
  const before = makeView(find(".before")), after = makeView(find(".chosen"));
  paintValues(find(".scale"), Array.from({ length: 256 }, (_, place) => place / 255), 256, CIVIDIS);

  function makeLayer({ name, side, maps, columns, zoom, gap }) {
    const figure = find(`[data-layer=${name}]`), canvas = figure.querySelector("canvas");
    const rows = Math.ceil(maps / columns), small = document.createElement("canvas");
    canvas.width = columns * (side * zoom + gap) - gap;
    canvas.height = rows * (side * zoom + gap) - gap;
    small.width = columns * side;
    small.height = rows * side;
    const picture = small.getContext("2d").createImageData(small.width, small.height);
    return {
      figure, canvas, small, picture, area: figure.querySelector(".maps"), marks: figure.querySelector(".marks"),
      range: figure.querySelector(".range"),
    };
  }

  function makeView(section) {
    return {
      section, title: section.querySelector("h3"), area: section.querySelector(".map"),
      canvas: section.querySelector("canvas"), marks: section.querySelector(".marks"), layer: 0, map: 0,
    };
  }

  // -------------------------------------------------------------- the numbers

  const indexOf = ({ layer, map, row, column }) => (row * WALK[layer].side + column) * WALK[layer].maps + map;
  const valueOf = (place) => activations[WALK[place.layer].name][indexOf(place)];

  /** What a value was made of: a list of {place, input, weight, product}, or of {place, input} for the largest of four. */
  function termsOf({ layer, map, row, column }) {
    const { kernel, weights, maps, pool } = WALK[layer], from = WALK[layer - 1], terms = [];
    const side = pool ?? kernel, step = pool ?? 1;
    for (let down = 0; down < side; down++) {
      for (let right = 0; right < side; right++) {
        for (let source = pool ? map : 0; source < (pool ? map + 1 : from.maps); source++) {
          const place = { layer: layer - 1, map: source, row: step * row + down, column: step * column + right };
          const input = valueOf(place);
          if (pool) terms.push({ place, input });
          else {
            const weight = network.weights[weights][((down * side + right) * from.maps + source) * maps + map];
            terms.push({ place, input, weight, product: input * weight });
          }
        }
      }
    }
    return terms;
  }

  const total = (terms) => terms.reduce((sum, { product }) => sum + product, 0);
  const strongest = (terms) => [...terms].sort((a, b) => Math.abs(b.product) - Math.abs(a.product)).slice(0, STRONGEST);

  function strongestPlace(layer) {
    const { name, side, maps } = WALK[layer], values = activations[name], most = values.indexOf(Math.max(...values));
    const cell = Math.floor(most / maps);
    return { layer, map: most % maps, row: Math.floor(cell / side), column: cell % side };
  }

  // -------------------------------------------------------------- the pictures

  function paint({ name, side, maps, columns, zoom, gap, small, picture, canvas, range }) {
    const values = activations[name], mixed = name === "input" ? GREYS : CIVIDIS, width = small.width;
    const most = name === "input" || name === "probabilities" ? 1 : Math.max(1e-6, values.reduce((a, b) => Math.max(a, b), 0));
    const dots = new Uint32Array(picture.data.buffer);
    for (let map = 0; map < maps; map++) {
      const corner = Math.floor(map / columns) * side * width + (map % columns) * side;
      for (let row = 0; row < side; row++) {
        for (let column = 0; column < side; column++) {
          dots[corner + row * width + column] = mixed[(255 * values[(row * side + column) * maps + map] / most) | 0];
        }
      }
    }
    small.getContext("2d").putImageData(picture, 0, 0);
    const ink = canvas.getContext("2d"), tile = side * zoom;
    ink.imageSmoothingEnabled = false;
    for (let map = 0; map < maps; map++) {
      const column = map % columns, row = Math.floor(map / columns);
      ink.drawImage(small, column * side, row * side, side, side, column * (tile + gap), row * (tile + gap), tile, tile);
    }
    range.textContent = texts.range(inDigits(most, most < 10 ? 2 : 1));
  }

  function paintView(view, layer, map) {
    const { side, columns, small } = layers[layer];
    Object.assign(view, { layer, map });
    if (view.canvas.width !== side) view.canvas.width = view.canvas.height = side;
    const left = (map % columns) * side, top = Math.floor(map / columns) * side;
    view.canvas.getContext("2d").drawImage(small, left, top, side, side, 0, 0, side, side);
  }

  function mark(marks, kind, left, top, width, height) {
    const frame = document.createElement("span");
    frame.className = kind;
    Object.assign(frame.style, { left: `${100 * left}%`, top: `${100 * top}%`, width: `${100 * width}%`, height: `${100 * height}%` });
    marks.append(frame);
  }

  function markInLayer(kind, { layer, map, row, column }, size = 1) {
    const { side, columns, zoom, gap, canvas, marks } = layers[layer], step = side * zoom + gap;
    const left = (map % columns) * step + column * zoom, top = Math.floor(map / columns) * step + row * zoom;
    mark(marks, kind, left / canvas.width, top / canvas.height, size * zoom / canvas.width, size * zoom / canvas.height);
  }

  const markInView = ({ marks, layer }, kind, { row, column }, size = 1) => {
    const { side } = WALK[layer];
    mark(marks, kind, column / side, row / side, size / side, size / side);
  };

  function paintMarks(terms) {
    const { layer, map } = chosen, { kernel, pool, side } = WALK[layer];
    for (const { marks } of [...layers, before, after]) marks.replaceChildren();
    if (side > 1) markInLayer("tile", { ...chosen, row: 0, column: 0 }, side);
    markInLayer("here", chosen);
    markInView(after, "here", chosen);
    if (!layer) return;
    const from = WALK[layer - 1], window = { layer: layer - 1, row: chosen.row * (pool ?? 1), column: chosen.column * (pool ?? 1) };
    const size = pool ?? kernel, best = pool ? [] : strongest(terms);
    if (size < from.side) {
      for (let source = 0; source < from.maps; source++) {
        if (!pool || source === map) markInLayer("window", { ...window, map: source }, size);
      }
      markInView(before, "window", window, size);
    }
    if (from.maps > 1) for (const { place } of best) markInLayer("strong", place);
    if (from.side > 1 && from.maps > 1 && best.length) markInView(before, "strong", best[0].place);
  }

  // -------------------------------------------------------------- how a value came about

  const row = (kind, label, number = "") => `<tr class="${kind}"><th scope="row">${label}</th><td>${number}</td></tr>`;

  function tint(cell, value, most) {
    const share = Math.round(Math.min(1, Math.abs(value) / (most || 1)) * 45);
    cell.style.backgroundColor = `color-mix(in srgb, ${value < 0 ? "#0072B2" : "#D55E00"} ${share}%, transparent)`;
  }

  function shade(cell, value) {
    const level = Math.round(255 * Math.min(1, Math.max(0, value)));
    cell.style.backgroundColor = `rgb(${level} ${level} ${level})`;
    cell.style.color = level > 118 ? "#000" : "#fff";
  }

  /** Build the panel for the layer that was chosen; `fillPanel` writes the numbers, as often as they change. */
  function buildPanel() {
    const { name, kernel, pool } = WALK[chosen.layer];
    const square = (kind, side, label, cell) => `<div><h4>${label}</h4><table class="square ${kind}" aria-label="${label}">${
      Array.from({ length: side }, (_, down) => `<tr>${Array.from({ length: side }, (_, right) =>
        `<td>${cell?.(down, right) ?? ""}</td>`).join("")}</tr>`).join("")}</table></div>`;
    const field = (down, right) => `<input type="number" step="0.05" aria-label="${texts.weight(down + 1, right + 1)}">`;
    const totals = (rows) => `<table class="totals"><tbody>${rows.join("")}</tbody></table>`;
    let body = "";
    if (name === "conv1") {
      body = `<div class="nine">${square("window", 3, texts.window)}<i>×</i>${square("filter", 3, texts.filter, field)}<i>=</i>${
        square("products", 3, texts.products)}</div>${
        totals([row("all", texts.nine), row("bias", texts.bias), row("total", texts.total), row("value", "")])}
        <p class="effect"></p><button type="button" class="reset">${texts.reset}</button>`;
    } else if (pool) {
      body = `<div class="nine">${square("window", 2, texts.four)}</div>${totals([row("value", texts.largest)])}`;
    } else if (kernel) {
      const line = `<tr><th scope="row"><button type="button"></button></th><td></td><td></td><td></td></tr>`;
      body = `<table class="terms"><thead><tr>${texts.columns.map((word) => `<th scope="col">${word}</th>`).join("")}</tr></thead>
        <tbody>${line.repeat(STRONGEST)}</tbody></table>${
        totals([row("rest", ""), row("bias", texts.bias), row("total", texts.total), row("value", "")])}`;
    }
    panel.innerHTML = `<h3></h3><p class="about">${texts.layers[name].about}</p>${body}`;
    panel.dataset.layer = name;
    panel.querySelectorAll(".filter input").forEach((input, place) => { input.oninput = () => edit(input, place); });
    panel.querySelectorAll(".terms button").forEach((button, place) => {
      button.onclick = () => choose(strongest(termsOf(chosen))[place].place);
    });
    const reset = panel.querySelector(".reset");
    if (reset) reset.onclick = resetFilters;
  }

  function fillPanel(terms) {
    const { layer, map } = chosen, { name, kernel, pool, weights } = WALK[layer], value = valueOf(chosen);
    const write = (kind, number, label) => {
      const line = panel.querySelector(`.${kind}`);
      if (label !== undefined) line.firstChild.textContent = label;
      line.lastChild.textContent = number;
    };
    panel.querySelector("h3").textContent = texts.place(chosen, WALK[layer], inDigits(value, 4));
    if (pool) {
      panel.querySelectorAll(".window td").forEach((cell, place) => {
        cell.textContent = inDigits(terms[place].input);
        cell.classList.toggle("best", terms[place].input === value);
      });
      write("value", inDigits(value, 4));
    }
    if (!kernel) return;
    if (name === "conv1") {
      const most = (key) => Math.max(...terms.map((term) => Math.abs(term[key])));
      const mostWeight = most("weight"), mostProduct = most("product");
      const [windows, filters, products] = ["window", "filter", "products"].map((kind) => panel.querySelectorAll(`.${kind} td`));
      terms.forEach(({ input, weight, product }, place) => {
        windows[place].textContent = inDigits(input);
        shade(windows[place], input);
        const field = filters[place].firstChild;
        if (element.getRootNode().activeElement !== field) field.value = weight.toFixed(3);
        tint(filters[place], weight, mostWeight);
        products[place].textContent = inDigits(product);
        tint(products[place], product, mostProduct);
      });
      write("all", inDigits(total(terms), 4));
      fillEffect();
    } else {
      const best = strongest(terms);
      panel.querySelectorAll(".terms tbody tr").forEach((line, place) => {
        const { place: source, input, weight, product } = best[place], [from, ...cells] = line.children;
        from.firstChild.textContent = texts.source(source, WALK[layer - 1]);
        [input, weight, product].forEach((number, column) => { cells[column].textContent = inDigits(number, 4); });
        tint(cells[2], product, Math.abs(best[0].product));
      });
      write("rest", inDigits(total(terms) - total(best), 4), texts.rest(terms.length - STRONGEST));
    }
    const bias = network.weights[weights + 1][map], sum = total(terms) + bias;
    write("bias", inDigits(bias, 4));
    write("total", inDigits(sum, 4));
    const rule = name === "probabilities" ? texts.softmax : sum < 0 ? texts.cut : texts.kept;
    write("value", inDigits(value, 4), rule);
  }

  // -------------------------------------------------------------- changing a filter

  const isEdited = () => trained.get(network).some((weight, place) => weight !== network.weights[0][place]);

  function edit(input, place) {
    const weight = input.valueAsNumber;
    input.setAttribute("aria-invalid", !Number.isFinite(weight));
    if (!Number.isFinite(weight)) return;
    walked = true;  // the filter that is being changed stays in view
    network.weights[0][place * WALK[1].maps + chosen.map] = Math.min(99, Math.max(-99, weight));
    onEdit();
    show(pixels);
    spoken.textContent = panel.querySelector(".effect").textContent;
  }

  function resetFilters() {
    network.weights[0].set(trained.get(network));
    onEdit();
    show(pixels);
    find(".filter input").focus();  // the button, now without a use, would lose the focus to nowhere
  }

  function fillEffect() {
    const edited = isEdited(), effect = panel.querySelector(".effect");
    panel.querySelector(".reset").disabled = !edited;
    effect.hidden = !edited;
    if (!edited) return;
    const own = network.weights[0].slice();
    network.weights[0].set(trained.get(network));
    const untouched = network.read(pixels).probabilities;
    network.weights[0].set(own);
    const words = [untouched, activations.probabilities].map((probabilities) => {
      const most = Math.max(...probabilities);
      return [probabilities.indexOf(most), (100 * most).toFixed(1)];
    });
    const sentence = texts.effect(...words.flat());
    if (effect.textContent !== sentence) effect.textContent = sentence;
  }

  // -------------------------------------------------------------- walking

  function choose(place, { aloud = true } = {}) {
    const rebuild = chosen?.layer !== place.layer;
    chosen = place;
    if (rebuild) buildPanel();
    layers.forEach(({ figure }, layer) => figure.classList.toggle("walked", layer === place.layer));
    refresh();
    if (!aloud) return;
    walked = true;
    spoken.textContent = texts.place(chosen, WALK[chosen.layer], inDigits(valueOf(chosen)));
  }

  function refresh() {
    const { layer, map } = chosen, { name, side, maps, pool } = WALK[layer], from = WALK[layer - 1];
    const terms = layer ? termsOf(chosen) : [];
    before.section.hidden = !layer || from.side === 1;
    after.section.hidden = side === 1;
    if (layer) {
      const source = pool ? map : terms.length && from.maps > 1 ? strongest(terms)[0].place.map : 0;
      paintView(before, layer - 1, source);
      before.title.textContent = texts.before({ map: source }, from, Boolean(pool));
      before.area.setAttribute("aria-label", before.title.textContent);
    }
    paintView(after, layer, map);
    after.title.textContent = texts.layers[name].title;
    after.section.querySelector(".turn").hidden = maps === 1;
    after.section.querySelector(".turn span").textContent = texts.map(map + 1, maps);
    after.area.setAttribute("aria-label", `${texts.layers[name].title}, ${texts.map(map + 1, maps)}`);
    paintMarks(terms);
    fillPanel(terms);
  }

  const turn = (by) => () => {
    const { maps } = WALK[chosen.layer];
    choose({ ...chosen, map: (chosen.map + by + maps) % maps });
  };
  const [previous, next] = after.section.querySelectorAll("button");
  previous.onclick = turn(-1);
  next.onclick = turn(1);

  layers.forEach(({ area, canvas, side, maps, columns, zoom, gap }, layer) => {
    const within = (value) => Math.min(side - 1, Math.max(0, Math.floor(value)));
    area.onclick = (event) => {
      const box = canvas.getBoundingClientRect(), step = side * zoom + gap;
      const x = (event.clientX - box.left) * canvas.width / box.width, y = (event.clientY - box.top) * canvas.height / box.height;
      const map = Math.floor(y / step) * columns + Math.min(columns - 1, Math.floor(x / step));
      if (map >= 0 && map < maps) choose({ layer, map, row: within((y % step) / zoom), column: within((x % step) / zoom) });
    };
    area.onkeydown = (event) => {
      const isHere = chosen.layer === layer, arrow = STEPS[event.key];
      if (event.ctrlKey || event.metaKey || event.altKey || !(arrow || event.key === "Enter" || event.key === " ")) return;
      event.preventDefault();
      if (!isHere || !arrow) return choose(isHere ? chosen : strongestPlace(layer));
      const map = chosen.map + arrow[0] * columns + arrow[1];
      if (map >= 0 && map < maps) choose({ ...chosen, map });
    };
  });

  for (const view of [before, after]) {
    const placeAt = (event) => {
      const box = view.area.getBoundingClientRect(), { side } = WALK[view.layer];
      const inside = (share) => Math.min(side - 1, Math.max(0, Math.floor(share * side)));
      return {
        layer: view.layer, map: view.map,
        row: inside((event.clientY - box.top) / box.height), column: inside((event.clientX - box.left) / box.width),
      };
    };
    view.area.onpointerdown = (event) => {
      if (!event.isPrimary || event.button !== 0) return;
      if (view === after) view.area.setPointerCapture(event.pointerId);
      choose(placeAt(event));
    };
    view.area.onpointermove = (event) => { if (view.area.hasPointerCapture(event.pointerId)) choose(placeAt(event)); };
    view.area.onkeydown = (event) => {
      const arrow = STEPS[event.key], { side } = WALK[view.layer];
      if (event.ctrlKey || event.metaKey || event.altKey || !(arrow || event.key === "Enter" || event.key === " ")) return;
      event.preventDefault();
      const start = view === after ? chosen : { layer: view.layer, map: view.map, ...windowOf(chosen) };
      const [row, column] = view === after && arrow ? [start.row + arrow[0], start.column + arrow[1]] : [start.row, start.column];
      if (row < 0 || column < 0 || row >= side || column >= side) return;
      choose({ ...start, row, column });
      if (view === before) after.area.focus();  // one has walked a layer back
    };
  }

  function windowOf({ layer, row, column }) {
    const { pool, kernel } = WALK[layer], middle = Math.floor((pool ?? kernel) / 2) - (pool ? 1 : 0);
    return { row: row * (pool ?? 1) + middle, column: column * (pool ?? 1) + middle };
  }

  // -------------------------------------------------------------- what others may call

  function show(newPixels, newActivations = network.read(newPixels)) {
    pixels = newPixels;
    activations = newActivations;
    layers.forEach(paint);
    if (walked && chosen) refresh();
    else choose(strongestPlace(1), { aloud: false });
  }

  function setNetwork(newNetwork) {
    network = newNetwork;
    if (!trained.has(network)) trained.set(network, network.weights[0].slice());
    if (pixels) show(pixels);
  }

  setNetwork(network);
  function destroy() {
    releaseKeys();
    element.replaceChildren();
  }

  return { show, setNetwork, isEdited, destroy };
}
