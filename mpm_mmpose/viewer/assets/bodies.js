// All people at a frame: bones, joints, halos of uncertainty, true poses, and lines between the two.

import { Color, Group, Matrix4, MeshBasicMaterial, MeshLambertMaterial } from "three";
import { RIGHT_SHADE, pageColour, personColour } from "page/colours";
import { readPoint, readValue } from "page/data";
import { Balls, Rods, Strokes } from "page/meshes";

const BONE = 0.019;
const JOINT = 0.028;
const TRUE_BONE = 0.011;
/** Of keypoints that the model was not shown: thinner, and nearer to the background. */
const MASKED_SIZE = 0.62;
const MASKED_FADE = 0.55;

export class Bodies extends Group {
  constructor(scene, state, places, numbers) {
    super();
    this.people = scene.people;
    this.state = state;
    this.places = places;
    this.numbers = numbers;
    const joints = this.people.reduce((sum, person) => sum + person.skeleton.parents.length, 0);
    this.bones = new Rods(joints, new MeshLambertMaterial());
    this.joints = new Balls(joints, new MeshLambertMaterial());
    this.halos = new Balls(joints, new MeshBasicMaterial({ transparent: true, opacity: 0.16, depthWrite: false }));
    this.trueBones = new Rods(joints, new MeshLambertMaterial(), 6);
    this.trueJoints = new Balls(joints, new MeshLambertMaterial(), 6);
    this.offs = new Strokes(joints);
    // Shadows are the bones again, pressed flat along the light; they share the bones' places.
    this.shadows = new Rods(joints, new MeshBasicMaterial());
    this.shadows.instanceMatrix = this.bones.instanceMatrix;
    this.shadows.instanceColor = null;
    this.shadows.matrixAutoUpdate = false;
    this.shadows.matrix = new Matrix4().set(1, -0.22, 0, 0, 0, 0, 0, 0.002, 0, -0.3, 1, 0, 0, 0, 0, 1);
    this.meshes = [this.bones, this.joints, this.halos, this.trueBones, this.trueJoints];
    this.add(...this.meshes, this.offs, this.shadows);
    this.pelvis = new Float32Array(3);
    this.poses = this.people.map((person) => new Float32Array(3 * person.skeleton.parents.length));
    this.truePoses = this.people.map((person) => new Float32Array(3 * person.skeleton.parents.length));
    this.known = this.people.map((person) => new Uint8Array(person.skeleton.parents.length));
    this.trulyKnown = this.people.map((person) => new Uint8Array(person.skeleton.parents.length));
    this.paintAll();
  }

  /** Colours of the theme; once a change of it, not a frame. */
  paintAll() {
    const stage = new Color(pageColour("stage"));
    const grey = new Color(pageColour("ground-truth"));
    this.shades = this.people.map((person) => {
      const plain = new Color(personColour(this.numbers[person.index], this.state.theme));
      const right = plain.clone().multiplyScalar(RIGHT_SHADE);
      return person.skeleton.sides.map((side) => {
        const shade = side === "right" ? right : plain;
        return { plain: shade.toArray(), faded: shade.clone().lerp(stage, MASKED_FADE).toArray() };
      });
    });
    this.trueShade = grey.toArray();
    this.shadows.material.color.set(pageColour("shadow"));
    this.offs.material.color.copy(grey);
  }

  /** Put everybody where they are in the frame of the state. */
  update() {
    this.offs.clear();
    let first = 0;
    for (const person of this.people) {
      this.updatePerson(person, first);
      first += person.skeleton.parents.length;
    }
    for (const mesh of this.meshes) mesh.changed();
    this.offs.changed();
  }

  updatePerson(person, first) {
    const { state } = this;
    const i = person.index;
    const row = state.shown[i] ? person.rowAt[state.frame] : -1;
    const there = row >= 0 && this.places.of(person, state.place, row, this.pelvis);
    this.fill(person.poses, there ? row : -1, this.poses[i], this.known[i]);
    this.fill(person.ground_truth, there && state.ground_truth ? row : -1, this.truePoses[i], this.trulyKnown[i]);
    const parents = person.skeleton.parents;
    for (let k = 0; k < parents.length; k += 1) {
      this.updateJoint(person, row, k, first + k);
      this.updateBone(person, row, k, first + k);
    }
  }

  updateJoint(person, row, k, at) {
    const i = person.index;
    const points = this.poses[i];
    this.joints.hide(at);
    this.halos.hide(at);
    this.trueJoints.hide(at);
    if (this.known[i][k]) {
      const masked = isMasked(person, row, k);
      this.joints.put(at, points, 3 * k, JOINT * (masked ? MASKED_SIZE : 1));
      this.joints.paint(at, this.shade(i, k, masked));
      const spread = this.state.spread && person.spread ? readValue(person.spread, row * person.spread.row + k) : 0;
      if (spread > 0) {
        this.halos.put(at, points, 3 * k, JOINT + spread);
        this.halos.paint(at, this.shades[i][k].plain);
      }
    }
    if (this.trulyKnown[i][k]) {
      this.trueJoints.put(at, this.truePoses[i], 3 * k, TRUE_BONE);
      this.trueJoints.paint(at, this.trueShade);
      if (this.known[i][k]) this.offs.add(points, 3 * k, this.truePoses[i], 3 * k);
    }
  }

  updateBone(person, row, k, at) {
    const i = person.index;
    const parent = person.skeleton.parents[k];
    this.bones.hide(at);
    this.trueBones.hide(at);
    if (parent < 0) return;
    if (this.known[i][k] && this.known[i][parent]) {
      const masked = isMasked(person, row, k) || isMasked(person, row, parent);
      this.bones.put(at, this.poses[i], 3 * parent, 3 * k, BONE * (masked ? MASKED_SIZE : 1));
      this.bones.paint(at, this.shade(i, k, masked));
    }
    if (this.trulyKnown[i][k] && this.trulyKnown[i][parent]) {
      this.trueBones.put(at, this.truePoses[i], 3 * parent, 3 * k, TRUE_BONE);
      this.trueBones.paint(at, this.trueShade);
    }
  }

  fill(array, row, points, known) {
    for (let k = 0; k < known.length; k += 1) {
      known[k] = array !== null && row >= 0 && readPoint(array, row, k, points, 3 * k) ? 1 : 0;
      for (let c = 0; known[k] && c < 3; c += 1) points[3 * k + c] += this.pelvis[c];
    }
  }

  shade(person, k, masked) {
    const shades = this.shades[person][k];
    return masked ? shades.faded : shades.plain;
  }
}

function isMasked(person, row, k) {
  return person.masked !== null && person.masked[row * person.skeleton.parents.length + k] > 0;
}
