// Time that passes while the scene plays, at the speed of the recording times that of the viewer; begins anew at the end.

/** Longer pauses of the browser, as of a hidden tab, are not made up for. */
const LONGEST_STEP = 0.25;

export class Clock {
  constructor(scene, state) {
    Object.assign(this, { times: scene.times, state });
    this.end = scene.times[scene.frames - 1] + 1 / scene.fps;
    this.before = null;
    this.time = 0;
  }

  /** now: s, of the screen's clock. */
  tick(now) {
    const { state } = this;
    const passed = this.before === null ? 0 : Math.min(LONGEST_STEP, now - this.before);
    this.before = state.playing ? now : null;
    if (!state.playing) return;
    // Somebody went elsewhere meanwhile.
    if (this.frameAt(this.time) !== state.frame) this.time = this.times[state.frame];
    this.time += passed * state.speed;
    if (this.time >= this.end) this.time = 0;
    state.goTo(this.frameAt(this.time));
  }

  /** The last frame that has begun. */
  frameAt(time) {
    let low = 0;
    let high = this.times.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.times[middle] <= time + 1e-6) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
