// What the viewer chose; everything that shows something listens to it.

export const SPEEDS = [0.1, 0.25, 0.5, 1, 2, 4];
export const PLACES = ["side", "same", "path"];

export class State {
  constructor(scene) {
    this.frames = scene.frames;
    this.frame = 0;
    this.playing = false;
    this.speed = 1;
    this.place = "side";
    this.places = scene.people.some((person) => person.trajectory) ? PLACES : PLACES.slice(0, 2);
    if (scene.people.length < 2) this.places = this.places.filter((place) => place !== "same");
    this.ground_truth = true;
    this.spread = true;
    this.labels = true;
    this.theme = "light";
    this.shown = scene.people.map(() => true);
    this.listeners = [];
  }

  /** listener(names): called after a change with the names of what changed. */
  listen(listener) {
    this.listeners.push(listener);
  }

  set(change) {
    const names = Object.keys(change).filter((name) => this[name] !== change[name]);
    if (names.length === 0) return;
    Object.assign(this, change);
    for (const listener of this.listeners) listener(names);
  }

  goTo(frame) {
    this.set({ frame: Math.max(0, Math.min(this.frames - 1, Math.round(frame))) });
  }

  /** By hand: a user who steps wants to look at what is there. */
  stepTo(frame) {
    this.set({ playing: false });
    this.goTo(frame);
  }

  togglePerson(index) {
    if (index < this.shown.length) {
      this.set({ shown: this.shown.map((shown, i) => (i === index ? !shown : shown)) });
    }
  }

  changeSpeed(steps) {
    const at = SPEEDS.indexOf(this.speed) + steps;
    this.set({ speed: SPEEDS[Math.max(0, Math.min(SPEEDS.length - 1, at))] });
  }

  nextPlace() {
    this.set({ place: this.places[(this.places.indexOf(this.place) + 1) % this.places.length] });
  }
}
