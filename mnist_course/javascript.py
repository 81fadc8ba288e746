"""The page's network run outside the browser, by Node, to compare it with Keras (notebook 07)."""

import base64
import json
import shutil
import subprocess

import numpy as np

from mnist_course import web_sources

_READ = """
let text = "";
for await (const part of process.stdin) text += part;
const { packed, images } = JSON.parse(text), greys = Buffer.from(images, "base64");
const network = createNetwork(decodeWeights(packed.text, packed)), probabilities = [], times = [];
for (let start = 0; start < greys.length; start += 784) {
  const pixels = Float32Array.from(greys.subarray(start, start + 784), (grey) => grey / 255);
  const begin = process.cpuUsage();
  probabilities.push([...network.read(pixels).probabilities]);
  const { user, system } = process.cpuUsage(begin);  // whatever else the machine does
  times.push((user + system) / 1000);
}
times.sort((one, other) => one - other);
console.log(JSON.stringify({ probabilities, milliseconds: times[times.length >> 1] }));
"""


def read_in_node(packed, images):
    """Return what web/network.js makes of raw images: probabilities, float32 (n, 10), and the milliseconds of one.

    `packed` is a network as `packed_weights.pack` returns it, `images` uint8 (n, 28, 28). Returns None where there is
    no Node, version 18 or later. The time is the median of what the processor spent. Used in notebook 07.
    """
    node = shutil.which("node")
    if node is None:
        return None
    code = web_sources.join_modules("network.js") + _READ
    data = json.dumps({"packed": packed, "images": base64.b64encode(np.ascontiguousarray(images).tobytes()).decode()})
    command = [node, "--input-type=module", "--eval", code]
    done = subprocess.run(command, input=data, capture_output=True, text=True, encoding="utf-8")
    if done.returncode:
        return None
    answer = json.loads(done.stdout)
    return np.array(answer["probabilities"], np.float32), answer["milliseconds"]
