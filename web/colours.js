// The two scales of colours: grey for pixels, cividis for all that the network makes of them.

/** Mix 256 colours, each as one number in the byte order of a canvas. */
function palette(colours) {
  const points = colours.map((colour) => [0, 2, 4].map((from) => parseInt(colour.slice(from, from + 2), 16)));
  return Uint32Array.from({ length: 256 }, (_, number) => {
    const place = (number / 255) * (points.length - 1), left = Math.min(Math.floor(place), points.length - 2);
    const [red, green, blue] = points[left].map((value, part) =>
      Math.round(value + (place - left) * (points[left + 1][part] - value)));
    return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
  });
}

export const GREYS = palette(["000000", "ffffff"]);

/** Looks alike to eyes of all kinds: nine colours of matplotlib's cividis, mixed in between. */
export const CIVIDIS = palette(["00224e", "1a386f", "434e6c", "61656f", "7d7c78", "9b9476", "bcae6c", "dec958", "fee838"]);

/** Paint numbers from 0 to 1, `width` in a row, on a canvas, which takes their size; undefined ones stay clear. */
export function paintValues(canvas, values, width, colours) {
  const height = values.length / width;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const picture = new ImageData(width, height), dots = new Uint32Array(picture.data.buffer);
  values.forEach((value, place) => { if (value !== undefined) dots[place] = colours[(255 * value) | 0]; });
  canvas.getContext("2d").putImageData(picture, 0, 0);
}
