// What the page was written with: texts and numbers as JSON, poses as packed arrays (packing.py), images as JPEGs.

const UNKNOWN = -32768;

/** The scene, with typed arrays where the JSON says where they lie. */
export async function readScene() {
  const scene = JSON.parse(document.getElementById("scene").textContent);
  const unpack = unpackerOf(await inflate(bytesOf("arrays")));
  scene.times = unpack(scene.times);
  scene.people.forEach((person, index) => preparePerson(unpack, person, index, scene.frames));
  if (scene.images) {
    scene.images.bytes = bytesOf("jpegs");
  }
  return scene;
}

function preparePerson(unpack, person, index, frames) {
  person.index = index;
  person.rowAt = new Int32Array(frames).fill(-1);
  unpack(person.rows).forEach((frame, row) => {
    person.rowAt[frame] = row;
  });
  for (const name of ["poses", "ground_truth", "spread", "trajectory", "masked", "errors"]) {
    person[name] = person[name] ? unpack(person[name]) : null;
  }
  if (person.image) {
    person.image.points = unpack(person.image.points);
    person.image.scores = unpack(person.image.scores);
  }
}

/** Measured arrays become {values, unit, row}: a value is values[i] * unit, a row of the array has row values. */
function unpackerOf(buffer) {
  const summed = new Map();
  return ({ kind, start, length, unit, row }) => {
    if (kind === "float32") return new Float32Array(buffer, start, length);
    if (kind === "int32") return new Int32Array(buffer, start, length);
    if (kind === "bytes") return new Uint8Array(buffer, start, length);
    // Several people may have one array, which is summed in its place, once.
    let values = summed.get(start);
    if (!values) {
      values = new Int16Array(buffer, start, length);
      for (let i = row; i < length; i += 1) values[i] += values[i - row];
      summed.set(start, values);
    }
    return { values, unit, row };
  };
}

/** Keypoint k of a row of 3D poses into out[at..at+2], m, x right, y up, z to the viewer; false if unknown. */
export function readPoint(array, row, k, out, at) {
  const i = row * array.row + 3 * k;
  const { values, unit } = array;
  if (values[i] === UNKNOWN || values[i + 1] === UNKNOWN || values[i + 2] === UNKNOWN) return false;
  out[at] = values[i] * unit;
  out[at + 1] = -values[i + 1] * unit;
  out[at + 2] = -values[i + 2] * unit;
  return true;
}

/** One number of a measured array; NaN if unknown. */
export function readValue(array, index) {
  const value = array.values[index];
  return value === UNKNOWN ? NaN : value * array.unit;
}

function bytesOf(id) {
  const text = atob(document.getElementById(id).textContent);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i += 1) {
    bytes[i] = text.charCodeAt(i);
  }
  return bytes;
}

function inflate(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}
