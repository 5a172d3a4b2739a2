// The 3D view: camera, light and mouse; draws only when something changed.

import { Box3, Color, DirectionalLight, HemisphereLight, PerspectiveCamera, Scene, Vector3, WebGLRenderer } from "three";
import { OrbitControls } from "three/OrbitControls";
import { Bodies } from "page/bodies";
import { pageColour } from "page/colours";
import { Ground } from "page/ground";
import { Labels } from "page/labels";
import { Places } from "page/places";

/** Where the first look comes from: a little to the side and above, so that depth is seen. */
const LOOK = new Vector3(0.4, 0.24, 1).normalize();
const MARGIN = 1.12;
/** m above heads. */
const ROOM_FOR_NAMES = 0.2;

export class Stage {
  constructor(canvas, labels, scene, state, numbers) {
    this.canvas = canvas;
    this.state = state;
    // Throws where the browser has no WebGL.
    this.renderer = new WebGLRenderer({ canvas, antialias: true });
    this.camera = new PerspectiveCamera(35, 1, 0.05, 300);
    this.world = new Scene();
    this.world.background = new Color();
    this.sun = new DirectionalLight(0xffffff, 1.7);
    this.sun.position.set(1.2, 3, 2);
    this.places = new Places(scene.people);
    this.bodies = new Bodies(scene, state, this.places, numbers);
    this.ground = new Ground(scene, state, this.places, numbers);
    this.world.add(new HemisphereLight(0xffffff, 0xb9c2cc, 2.1), this.sun, this.bodies, this.ground);
    this.labels = new Labels(labels, scene, state, this.bodies, this.camera, numbers);
    this.controls = new OrbitControls(this.camera, canvas);
    Object.assign(this.controls, { enableDamping: true, dampingFactor: 0.12, minDistance: 0.4, maxDistance: 120 });
    this.controls.maxPolarAngle = 0.53 * Math.PI;
    this.controls.addEventListener("start", () => {
      this.touched = true;
    });
    canvas.addEventListener("pointermove", (event) => this.pointAt(event));
    canvas.addEventListener("pointerleave", () => this.pointAt(null));
    new ResizeObserver(() => this.resize()).observe(canvas.parentElement);
    this.paint();
    this.resize();
  }

  /** Colours of the theme. */
  paint() {
    this.world.background.set(pageColour("stage"));
    this.bodies.paintAll();
    this.ground.lay(this.half ?? 4);
    this.ground.update();
    this.labels.paint();
    this.moved = true;
  }

  /** Everybody in view, from where one looks first. */
  reset() {
    const points = this.places.sample(this.state.shown, this.state.place);
    if (points.length === 0) return;
    const box = new Box3().setFromArray(points);
    box.min.y = Math.max(0, box.min.y);
    box.max.y += ROOM_FOR_NAMES;
    const target = box.getCenter(new Vector3());
    const side = new Vector3(0, 1, 0).cross(LOOK).normalize();
    const up = LOOK.clone().cross(side);
    const tall = Math.tan((this.camera.fov * Math.PI) / 360);
    const point = new Vector3();
    let far = 1;
    for (let i = 0; i < points.length; i += 3) {
      point.fromArray(points, i).sub(target);
      const across = Math.abs(point.dot(side)) / (tall * this.camera.aspect);
      const along = (Math.abs(point.dot(up)) + ROOM_FOR_NAMES) / tall;
      far = Math.max(far, MARGIN * Math.max(across, along) + point.dot(LOOK));
    }
    this.camera.position.copy(target).addScaledVector(LOOK, far);
    this.controls.target.copy(target);
    this.controls.update();
    const reach = Math.max(-box.min.x, box.max.x, -box.min.z, box.max.z);
    this.half = Math.min(40, Math.max(4, 2.5 + reach));
    this.ground.lay(this.half);
    this.touched = false;
    this.moved = true;
  }

  /** The state has other values of these names. */
  changed(names) {
    if (names.includes("theme")) this.paint();
    if (names.includes("place")) this.reset();
    if (names.includes("place") || names.includes("shown")) this.ground.update();
    this.moved = true;
  }

  zoom(factor) {
    this.camera.position.sub(this.controls.target).multiplyScalar(factor).add(this.controls.target);
    this.touched = true;
    this.moved = true;
  }

  /** Call once a frame of the screen; draws where something moved. */
  draw() {
    const turned = this.controls.update();
    if (!turned && !this.moved) return;
    if (this.moved) this.bodies.update();
    this.moved = false;
    this.renderer.render(this.world, this.camera);
    this.labels.update();
  }

  resize() {
    const { clientWidth, clientHeight } = this.canvas.parentElement;
    if (clientWidth === 0 || clientHeight === 0) return;
    this.renderer.setPixelRatio(Math.min(2, window.devicePixelRatio));
    this.renderer.setSize(clientWidth, clientHeight, false);
    this.labels.resize(clientWidth, clientHeight);
    this.camera.aspect = clientWidth / clientHeight;
    this.camera.updateProjectionMatrix();
    if (!this.touched) this.reset();
    this.moved = true;
    this.draw();
  }

  pointAt(event) {
    const dragged = event === null || event.buttons > 0;
    this.labels.pointer = dragged ? null : { x: event.offsetX, y: event.offsetY };
    this.labels.updateTip();
  }
}
