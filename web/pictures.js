// Picture files that were chosen or dropped on the page: which are opened, and as what.

const LARGEST = { bytes: 30e6, pixels: 40e6 };
const LONGEST_SIDE = 600;  // pixels that are left of a larger picture
const UNEVEN = 40;  // greys between which most of the border of evenly lit paper lies

/**
 * Open a file that shows a digit on even paper; returns { grey, width, height, canvas }: greys from 0 to 255, row by
 * row, and a picture of them. Throws an Error of one sentence for what cannot be read here.
 */
export async function openPicture(file, texts) {
  if (file.size > LARGEST.bytes) throw new Error(texts.tooManyBytes(file.name, LARGEST.bytes / 1e6));
  const size = sizeOf(new DataView(await file.arrayBuffer()));
  if (!size) throw new Error(texts.noPicture(file.name));
  const [across, down] = size;
  if (across * down > LARGEST.pixels) throw new Error(texts.tooManyPixels(file.name, across, down, LARGEST.pixels / 1e6));
  let bitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    throw new Error(texts.damaged(file.name));
  }
  const scale = Math.min(1, LONGEST_SIDE / Math.max(bitmap.width, bitmap.height)), canvas = document.createElement("canvas");
  const width = canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  const height = canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const ink = canvas.getContext("2d", { willReadFrequently: true });
  ink.imageSmoothingQuality = "high";
  ink.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  const picture = ink.getImageData(0, 0, width, height), grey = greysOf(picture.data);
  const border = [...grey].filter((_, at) => at < width || at >= width * (height - 1) || at % width === 0 || at % width === width - 1)
    .sort((a, b) => a - b);
  const share = (part) => border[Math.floor(part * (border.length - 1))];
  if (share(0.9) - share(0.1) > UNEVEN) throw new Error(texts.photo(file.name));
  const isDark = share(0.5) < 128;
  picture.data.fill(255);
  grey.forEach((value, at) => picture.data.fill(isDark ? 255 - value : value, 4 * at, 4 * at + 3));
  ink.putImageData(picture, 0, 0);
  return { grey, width, height, canvas };
}

/** The greys of colours; where the background is transparent, what is opaque is the ink. */
function greysOf(colours) {
  const grey = new Uint8Array(colours.length / 4);
  let clear = 0;
  for (let at = 3; at < colours.length; at += 4) clear += colours[at] < 128;
  grey.forEach((_, at) => {
    const [red, green, blue, opacity] = colours.subarray(4 * at, 4 * at + 4);
    grey[at] = clear > 0.005 * grey.length ? 255 - opacity : Math.round(0.299 * red + 0.587 * green + 0.114 * blue);
  });
  return grey;
}

/** [width, height] as the header of a PNG, JPEG, GIF, WebP or BMP says, before anything is decoded; null for others. */
function sizeOf(bytes) {
  const text = (start, length) =>
    String.fromCharCode(...Array.from({ length }, (_, place) => (start + place < bytes.byteLength ? bytes.getUint8(start + place) : 0)));
  try {
    if (text(0, 8) === "\x89PNG\r\n\x1a\n") return [bytes.getUint32(16), bytes.getUint32(20)];
    if (text(0, 4) === "GIF8") return [bytes.getUint16(6, true), bytes.getUint16(8, true)];
    if (text(0, 2) === "BM") return [Math.abs(bytes.getInt32(18, true)), Math.abs(bytes.getInt32(22, true))];
    if (text(0, 4) === "RIFF" && text(8, 4) === "WEBP") {
      const uint24 = (at) => bytes.getUint16(at, true) + 65536 * bytes.getUint8(at + 2);
      if (text(12, 4) === "VP8X") return [uint24(24) + 1, uint24(27) + 1];
      if (text(12, 4) === "VP8 ") return [bytes.getUint16(26, true) & 0x3fff, bytes.getUint16(28, true) & 0x3fff];
      const bits = bytes.getUint32(21, true);
      return text(12, 4) === "VP8L" ? [(bits & 0x3fff) + 1, ((bits >> 14) & 0x3fff) + 1] : null;
    }
    if (text(0, 2) !== "\xff\xd8") return null;
    for (let at = 2; at < bytes.byteLength;) {  // from part to part of a JPEG, until the one that holds its size
      const marker = bytes.getUint8(at + 1);
      if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
        return [bytes.getUint16(at + 7), bytes.getUint16(at + 5)];
      }
      at += 2 + bytes.getUint16(at + 2);
    }
  } catch {
    // cut short within its header
  }
  return null;
}
