// Joins the parts of the page: reads the scene, listens to what the viewer does, and draws.

import { Clock } from "page/clock";
import { numberColours } from "page/colours";
import { readScene } from "page/data";
import { Image2D } from "page/image";
import { describeKeys, keyTable, listenToKeys } from "page/keyboard";
import { Legend } from "page/legend";
import { Plot } from "page/plot";
import { Stage } from "page/stage";
import { SPEEDS, State } from "page/state";

const $ = (id) => document.getElementById(id);

function say(message) {
  $("message").textContent = message;
  $("message").hidden = false;
}

function newStage(scene, state, numbers) {
  try {
    return new Stage($("view"), $("labels"), scene, state, numbers);
  } catch (error) {
    say(`This browser draws no 3D here (${error.message}). Switch WebGL or hardware acceleration on, or try another.`);
    return null;
  }
}

function followTheme(state) {
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  let chosen = false;
  const show = (theme) => {
    document.documentElement.dataset.theme = theme;
    $("theme").setAttribute("aria-pressed", theme === "dark");
    $("theme").textContent = theme === "dark" ? "Light" : "Dark";
    state.set({ theme });
  };
  dark.addEventListener("change", () => chosen || show(dark.matches ? "dark" : "light"));
  show(dark.matches ? "dark" : "light");
  return () => {
    chosen = true;
    show(state.theme === "dark" ? "light" : "dark");
  };
}

function describe(scene) {
  const last = scene.times[scene.frames - 1];
  const people = `${scene.people.length} ${scene.called[scene.people.length === 1 ? 0 : 1]}`;
  $("people-title").textContent = scene.called[1][0].toUpperCase() + scene.called[1].slice(1);
  const parts = [people, `${scene.frames} frames`, `${last.toFixed(1)} s`, `${Number(scene.fps.toFixed(3))} frames a second`];
  $("about").textContent = [...parts, scene.madeBy].filter(Boolean).join(" · ");
  const marks = [];
  if (scene.people.some((person) => person.ground_truth)) {
    $("unit").textContent = "error now and ⌀, mm";
    marks.push("Grey: the ground truth.");
  }
  if (scene.people.some((person) => person.spread)) marks.push("Halos: how far several predictions lie apart.");
  if (scene.people.some((person) => person.masked)) marks.push("Thin and pale: not shown to the model.");
  if (scene.people.length > 0) marks.push("Darker: the person's right.");
  $("marks").textContent = marks.join(" ");
  for (const note of scene.notes) $("notes-list").appendChild(document.createElement("li")).textContent = note;
  $("notes-open").hidden = scene.notes.length === 0;
}

function showControls(scene, state) {
  $("frame").max = scene.frames - 1;
  for (const speed of SPEEDS) $("speed").append(new Option(`${speed}×`, speed));
  for (const button of document.querySelectorAll("[data-place]")) {
    button.hidden = !state.places.includes(button.dataset.place);
    button.addEventListener("click", () => state.set({ place: button.dataset.place }));
  }
  if (state.places.length === 1) document.querySelector("[data-place]").parentElement.hidden = true;
  document.querySelector('[data-place="side"]').textContent = scene.people.length > 1 ? "Side by side" : "In place";
  for (const button of document.querySelectorAll("[data-layer]")) {
    const { layer } = button.dataset;
    button.hidden = layer !== "labels" && !scene.people.some((person) => person[layer]);
    button.addEventListener("click", () => state.set({ [layer]: !state[layer] }));
  }
  $("play").addEventListener("click", () => state.set({ playing: !state.playing }));
  $("back").addEventListener("click", () => state.stepTo(state.frame - 1));
  $("forth").addEventListener("click", () => state.stepTo(state.frame + 1));
  $("frame").addEventListener("input", () => state.stepTo(Number($("frame").value)));
  $("speed").addEventListener("change", () => state.set({ speed: Number($("speed").value) }));
  $("help-open").addEventListener("click", () => $("help").showModal());
  $("notes-open").addEventListener("click", () => $("notes").showModal());
  // After a press with mouse or finger, keys are for the page again; a user who presses with keys stays where they are.
  document.addEventListener("click", (event) => event.detail > 0 && event.target.closest("button")?.blur());
}

function updateControls(scene, state, names) {
  if (names.includes("frame")) {
    $("frame").value = state.frame;
    const time = scene.start + scene.times[state.frame];
    $("time").textContent = `${state.frame} / ${scene.frames - 1} · ${time.toFixed(2)} s`;
    $("frame").setAttribute("aria-valuetext", `frame ${state.frame} of ${scene.frames - 1}, ${time.toFixed(2)} s`);
  }
  if (names.includes("playing")) {
    $("play").dataset.playing = state.playing;
    $("play").setAttribute("aria-label", state.playing ? "Pause" : "Play");
  }
  $("speed").value = state.speed;
  for (const button of document.querySelectorAll("[data-place]")) {
    button.setAttribute("aria-pressed", button.dataset.place === state.place);
  }
  for (const button of document.querySelectorAll("[data-layer]")) {
    button.setAttribute("aria-pressed", state[button.dataset.layer]);
  }
}

async function main() {
  const scene = await readScene();
  const state = new State(scene);
  const numbers = numberColours(scene.people.map((person) => person.name));
  const toggleTheme = followTheme(state);
  describe(scene);
  showControls(scene, state);
  const legend = new Legend($("legend"), scene, state, numbers);
  $("image").hidden = !scene.people.some((person) => person.image) && !scene.images;
  $("plot-box").hidden = !scene.people.some((person) => person.errors);
  const image = $("image").hidden ? null : new Image2D($("picture"), scene, state, numbers);
  const plot = $("plot-box").hidden ? null : new Plot($("plot"), scene, state, numbers);
  const stage = newStage(scene, state, numbers);
  if (scene.people.length === 0) say("Nobody was found in this recording.");
  const keys = keyTable(state, stage, { toggleTheme, help: () => $("help").showModal() });
  describeKeys(keys, $("keys"));
  listenToKeys(keys);
  $("theme").addEventListener("click", toggleTheme);
  $("reset").addEventListener("click", () => stage?.reset());

  let changed = new Set(["frame", "playing", "theme"]);
  state.listen((names) => names.forEach((name) => changed.add(name)));
  const clock = new Clock(scene, state);
  const show = (now) => {
    clock.tick(now / 1000);
    if (changed.size > 0) {
      const names = [...changed];
      changed.clear();
      updateControls(scene, state, names);
      if (names.includes("theme")) legend.paint();
      legend.update();
      stage?.changed(names);
      image?.draw();
      if (names.includes("theme") || names.includes("shown")) plot?.redraw();
      else plot?.draw();
    }
    stage?.draw();
    requestAnimationFrame(show);
  };
  requestAnimationFrame(show);
  document.documentElement.dataset.ready = "true";
}

main().catch((error) => {
  say(`This page cannot be shown: ${error.message}`);
  throw error;
});
