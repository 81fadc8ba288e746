// The course's network: from 784 grey values to ten probabilities, every layer's numbers kept.
//
// Arrays are flat and channels come last, as in Keras: the value of map c at row y, column x of a layer with
// `width` columns and `maps` maps stands at (y * width + x) * maps + c.

/** Name and shape of every layer that `read` returns, in order. */
const LAYERS = [
  { name: "input", shape: [28, 28, 1] },
  { name: "conv1", shape: [26, 26, 32] },
  { name: "pool1", shape: [13, 13, 32] },
  { name: "conv2", shape: [11, 11, 64] },
  { name: "pool2", shape: [5, 5, 64] },
  { name: "dense", shape: [128] },
  { name: "logits", shape: [10] },
  { name: "probabilities", shape: [10] },
];

const sizeOf = (shape) => shape.reduce((product, side) => product * side, 1);

const POWERS = Float64Array.from({ length: 32 }, (_, exponent) => 2 ** (exponent - 15));  // looked up, which is quick

/** The value of a float16, given as the whole number of its 16 bits. */
function halfToNumber(bits) {
  const sign = bits & 0x8000 ? -1 : 1, exponent = (bits >> 10) & 31, fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * POWERS[exponent];
}

const DIGITS_85 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";
const VALUES_85 = new Uint8Array(128);  // by the code of the character
[...DIGITS_85].forEach((digit, value) => { VALUES_85[digit.charCodeAt(0)] = value; });

/** The bytes in base 85, as Python's base64.b85encode writes them: five characters hold four bytes. */
function bytesOf(text) {
  const bytes = new DataView(new ArrayBuffer((text.length / 5) * 4));
  for (let group = 0; group < text.length / 5; group++) {
    let number = 0;
    for (let i = 5 * group; i < 5 * group + 5; i++) number = 85 * number + VALUES_85[text.charCodeAt(i)];
    bytes.setUint32(4 * group, number);
  }
  return bytes;
}

/**
 * Unpack weights: returns a Float32Array for each of `layout.shapes`, in order.
 *
 * `layout.kind` is "float32", "float16" or "int8", little-endian. With "int8" a weight is its whole number times the
 * scale of its output channel, the last axis; `layout.scales` holds these as float32, array after array. The text of
 * both is in base 85, with bytes to fill its last group; a text that is too short makes a RangeError.
 */
export function decodeWeights(text, { kind, shapes, scales }) {
  const bytes = bytesOf(text), sizes = shapes.map(sizeOf);
  const scale = kind === "int8" && bytesOf(scales);
  let first = 0, firstChannel = 0;
  return shapes.map((shape, number) => {
    const values = new Float32Array(sizes[number]), channels = shape.at(-1);
    for (let i = 0; i < values.length; i++) {
      if (kind === "float32") values[i] = bytes.getFloat32(4 * (first + i), true);
      else if (kind === "float16") values[i] = halfToNumber(bytes.getUint16(2 * (first + i), true));
      else values[i] = bytes.getInt8(first + i) * scale.getFloat32(4 * (firstChannel + (i % channels)), true);
    }
    first += values.length;
    firstChannel += channels;
    return values;
  });
}

/** 3 x 3 convolution and ReLU; `side` is that of the square maps in `input`. */
function convolve(input, side, maps, kernel, bias, output) {
  const filters = bias.length, outside = side - 2, sums = new Float64Array(filters);
  const inputs = new Float64Array(9 * maps + 3), starts = new Int32Array(9 * maps + 3);
  for (let y = 0; y < outside; y++) {
    for (let x = 0; x < outside; x++) {
      let count = 0;  // of the window's values that are not 0: black paper and what ReLU cut off are most of them
      for (let place = 0; place < 9; place++) {  // in the window, row by row
        const from = ((y + Math.floor(place / 3)) * side + x + (place % 3)) * maps;
        for (let c = 0; c < maps; c++) {
          if (input[from + c] === 0) continue;
          inputs[count] = input[from + c];
          starts[count++] = (place * maps + c) * filters;  // of its weights, one a filter
        }
      }
      inputs.fill(0, count, count + 3);
      sums.set(bias);
      for (let i = 0; i < count; i += 4) {  // four values at a time, which takes half as long as one
        const [a, b, c, d] = [inputs[i], inputs[i + 1], inputs[i + 2], inputs[i + 3]];
        const [atA, atB, atC, atD] = [starts[i], starts[i + 1], starts[i + 2], starts[i + 3]];
        for (let f = 0; f < filters; f++) {
          sums[f] += a * kernel[atA + f] + b * kernel[atB + f] + c * kernel[atC + f] + d * kernel[atD + f];
        }
      }
      for (let f = 0, to = (y * outside + x) * filters; f < filters; f++) output[to + f] = Math.max(0, sums[f]);
    }
  }
}

/** The largest of every 2 x 2 values; an odd last row or column is left out. */
function pool(input, side, maps, output) {
  const outside = side >> 1;
  for (let y = 0; y < outside; y++) {
    for (let x = 0; x < outside; x++) {
      const from = (2 * y * side + 2 * x) * maps, to = (y * outside + x) * maps, below = side * maps;
      for (let c = from; c < from + maps; c++) {
        output[to + c - from] = Math.max(input[c], input[c + maps], input[c + below], input[c + below + maps]);
      }
    }
  }
}

function dense(input, kernel, bias, output) {
  const features = bias.length;
  output.set(bias);
  for (let i = 0; i < input.length; i++) {
    const value = input[i], weight = i * features;
    if (value === 0) continue;
    for (let f = 0; f < features; f++) output[f] += value * kernel[weight + f];
  }
}

function softmax(logits, output) {
  const largest = Math.max(...logits);
  let sum = 0;
  for (let i = 0; i < logits.length; i++) sum += output[i] = Math.exp(logits[i] - largest);
  for (let i = 0; i < logits.length; i++) output[i] /= sum;
}

/**
 * Make the network of eight arrays of weights in Keras's order: kernel and bias of conv1, conv2, dense and logits.
 *
 * `read(pixels)` takes 784 numbers from 0 (paper) to 1 (ink) and returns the values of every layer by its name, new
 * Float32Arrays. `weights` may be changed in place; the next `read` uses them.
 */
export function createNetwork(weights) {
  const [kernel1, bias1, kernel2, bias2, kernel3, bias3, kernel4, bias4] = weights;

  function read(pixels) {
    const values = {};
    for (const { name, shape } of LAYERS) values[name] = new Float32Array(sizeOf(shape));
    values.input.set(pixels);
    convolve(values.input, 28, 1, kernel1, bias1, values.conv1);
    pool(values.conv1, 26, 32, values.pool1);
    convolve(values.pool1, 13, 32, kernel2, bias2, values.conv2);
    pool(values.conv2, 11, 64, values.pool2);
    dense(values.pool2, kernel3, bias3, values.dense);
    for (let i = 0; i < values.dense.length; i++) if (values.dense[i] < 0) values.dense[i] = 0;
    dense(values.dense, kernel4, bias4, values.logits);
    softmax(values.logits, values.probabilities);
    return values;
  }

  return { weights, read };
}
