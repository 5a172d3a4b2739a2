"""Pages in a real browser: a headless Chromium, WebGL in software."""

import base64
import io
import json
import os
import shutil
import time

import numpy as np
import pytest
from PIL import Image

from mpm_mmpose.converters.virtual_camera import project_views
from mpm_mmpose.pose.scene import LiftedPerson, Scene
from mpm_mmpose.viewer import write_page
from studies.quickstart.synthetic_motion import generate_motion

pytestmark = pytest.mark.slow

ARGUMENTS = (
    "--headless=new",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=800,560",
)
SPACE, LEFT, RIGHT, HOME, END = " ", "\ue012", "\ue014", "\ue011", "\ue010"
EVIL = "</script><img src=x onerror=\"document.title='broken'\"> & 'Ann'"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    paths = {name: shutil.which(name) for name in ("chromium", "chromedriver")}
    if missing := [name for name, path in paths.items() if path is None]:
        pytest.skip(f"no {' and no '.join(missing)} here: apt-get install chromium chromium-driver")
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = paths["chromium"]
    for argument in (*ARGUMENTS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(argument)
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")  # as root Chromium starts only without
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(paths["chromedriver"]))
    driver.set_script_timeout(120)
    yield driver
    driver.quit()


class Page:
    """What a viewer does with a page, and sees of it."""

    def __init__(self, driver, path, *, width=800, height=560, dark=False):
        self.driver = driver
        for kind in ("browser", "performance"):
            driver.get_log(kind)  # what earlier pages left
        size = dict(width=width, height=height, deviceScaleFactor=1, mobile=width < 500)
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        scheme = dict(name="prefers-color-scheme", value="dark" if dark else "light")
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", dict(features=[scheme]))
        driver.get(path.as_uri())
        self.wait("document.documentElement.dataset.ready === 'true'")
        self.settle()

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def wait(self, condition, seconds=60):
        end = time.monotonic() + seconds
        while not self.run(f"return Boolean({condition})"):
            assert time.monotonic() < end, f"not within {seconds} s: {condition}; console: {self.complaints()}"
            time.sleep(0.02)

    def settle(self):
        """Until what was done is drawn."""
        self.driver.execute_async_script(
            "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => done()))"
        )

    def element(self, selector):
        return self.driver.find_element("css selector", selector)

    def click(self, selector):
        self.element(selector).click()
        self.settle()

    def press(self, keys):
        self.driver.switch_to.active_element.send_keys(keys)
        self.settle()

    def text(self, selector):
        return self.run("return document.querySelector(arguments[0]).textContent", selector)

    @property
    def frame(self):
        return int(self.text("#time").split(" / ")[0])

    def picture(self, selector):
        """(H, W, 3) of a part of the page."""
        png = base64.b64decode(self.element(selector).screenshot_as_base64)
        return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), int)

    def count(self, selector, colour):
        """Pixels of a part of the page whose hue is that of a colour."""
        picture = self.picture(selector).reshape(-1, 3)
        wanted = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])
        lit = picture.max(1) - picture.min(1) > 60
        alike = picture / np.maximum(picture.max(1, keepdims=True), 1) - wanted / wanted.max()
        return int((lit & (np.abs(alike).max(1) < 0.15)).sum())

    def complaints(self):
        """Warnings and errors of the console; that WebGL in software is slow is none."""
        lines = self.driver.get_log("browser")
        wrong = [line for line in lines if line["level"] in ("WARNING", "SEVERE")]
        return [line for line in wrong if "GL Driver Message" not in line["message"]]

    def requests(self):
        """Addresses that were asked for since the page was opened, but for what lies in it."""
        messages = [json.loads(line["message"])["message"] for line in self.driver.get_log("performance")]
        asked = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
        return [address for address in asked if not address.startswith(("data:", "blob:"))]


def person(name, kind, off, seconds=2.0, first=0, **more):
    """A moving person whose prediction is off by ``off`` m in depth."""
    clip = next(project_views(generate_motion(kind, seconds, 30, 0), cameras=1))
    ground_truth = clip.keypoints_3d - clip.keypoints_3d[:, :1]
    return LiftedPerson(
        name,
        clip.keypoint_set,
        np.arange(first, first + len(ground_truth)),
        ground_truth + np.array([0, 0, off], np.float32),
        trajectory=clip.keypoints_3d[:, 0],
        masked=np.arange(17) == np.full((len(ground_truth), 1), 3),
        spread=np.full(ground_truth.shape[:2], 0.05),
        keypoints_2d=clip.keypoints,
        keypoint_set_2d=clip.keypoint_set,
        ground_truth=ground_truth,
        **more,
    )


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    people = [person("0", "walking", 0.03), person("1", "waving", 0.05, first=20)]
    scene = Scene("two people", people, np.arange(80) / 30, 30.0, 1000, 1002, "a test", ["a note"])
    images = (np.full((1002, 1000, 3), (40, 180, 40), np.uint8) for _ in range(80))
    return write_page(tmp_path_factory.mktemp("page") / "two people.html", scene, images)


@pytest.fixture
def page(browser, path):
    page = Page(browser, path)
    yield page
    assert page.complaints() == []
    assert page.requests() == [path.as_uri()]


BLUE, ORANGE = "#0072b2", "#d55e00"


def test_shows_people_and_where_they_are_wrong(page):
    assert page.text("#title") == "two people"
    assert page.text("#about").startswith("2 people · 80 frames · 2.6 s · 30 frames a second · a test")
    assert page.frame == 0
    assert page.count("#view", BLUE) > 100
    assert page.count("#view", ORANGE) == 0  # comes at frame 20
    rows = page.run("return [...document.querySelectorAll('#legend button')].map((row) => row.innerText.split('\\n'))")
    assert rows == [["0", "30.0", "⌀ 30.0"], ["1", "not there", "⌀ 50.0"]]
    page.click("#notes-open")
    assert page.text("#notes-list") == "a note"
    page.press("\ue00c")


def test_plays_and_stops(page):
    before = page.picture("#view")
    page.click("#play")
    assert page.element("#play").get_attribute("aria-label") == "Pause"
    page.wait("document.getElementById('frame').value > 0")
    page.press(SPACE)
    stopped = page.frame
    page.settle()
    assert page.frame == stopped
    assert (np.abs(page.picture("#view") - before) > 60).any(-1).sum() > 200


def test_time_passes_as_in_the_recording(page):
    """The clock alone, with a screen that draws whenever we say: frames at 0, 0.1, ... 0.9 s, twice as fast."""
    shown = page.driver.execute_async_script(
        """
        const [done] = arguments;
        import("page/clock").then(({ Clock }) => {
          const state = { playing: true, speed: 2, frame: 0, goTo(frame) { this.frame = frame; } };
          const times = Float32Array.from({ length: 10 }, (_, frame) => frame / 10);
          const clock = new Clock({ times, frames: 10, fps: 10 }, state);
          const at = (now) => { clock.tick(now); return state.frame; };
          const shown = [at(5), at(5.04), at(5.06), at(5.2), at(5.44), at(5.49), at(5.51)];
          state.frame = 3;  // somebody went there
          shown.push(at(5.6));
          state.playing = false;
          shown.push(at(99));
          state.playing = true;
          shown.push(at(100), at(100.06));
          state.speed = 0.5;
          shown.push(at(200));  // a hidden tab is not made up for
          done(shown);
        });
        """
    )
    assert shown == [0, 0, 1, 4, 8, 9, 0, 4, 4, 4, 6, 7]


def test_scrubs(page):
    page.run(
        "const slider = document.getElementById('frame'); slider.value = 41; slider.dispatchEvent(new Event('input'))"
    )
    page.settle()
    assert page.frame == 41
    assert page.text("#time") == "41 / 79 · 1.37 s"
    page.click("#forth")
    assert page.frame == 42


def test_keys(page):
    page.press(RIGHT)
    assert page.frame == 1
    page.press(END)
    assert page.frame == 79
    page.press(LEFT)
    assert page.frame == 78
    page.press(HOME)
    assert page.frame == 0
    page.press("+")
    assert page.element("#speed").get_property("value") == "2"
    page.press("-")
    page.press("-")
    assert page.element("#speed").get_property("value") == "0.5"
    page.press("?")
    assert page.element("#help").get_attribute("open")
    assert "play or pause" in page.text("#keys")
    page.press("\ue00c")
    assert not page.element("#help").get_attribute("open")


def test_legend_hides_and_shows(page):
    page.press(END)
    shown = page.count("#view", ORANGE)
    drawn = page.count("#plot", ORANGE)
    page.click("#legend li:nth-child(2) button")
    assert page.element("#legend li:nth-child(2) button").get_attribute("aria-pressed") == "false"
    assert page.count("#view", ORANGE) == 0 < shown
    assert page.count("#plot", ORANGE) == 0 < drawn
    page.press("2")
    assert page.count("#view", ORANGE) == shown


def test_places_and_layers(page):
    side = page.picture("#view")
    page.press("e")
    page.press("u")
    page.press("l")
    bare = page.picture("#view")
    assert (bare != side).any(-1).sum() > 300
    for place in ("same", "path"):
        page.click(f"[data-place={place}]")
        assert page.element(f"[data-place={place}]").get_attribute("aria-pressed") == "true"
        assert page.count("#view", BLUE) > 100
        assert (page.picture("#view") != bare).any(-1).sum() > 1000


def test_turns_with_the_mouse(page):
    before = page.picture("#view")
    action = __import__("selenium.webdriver", fromlist=["ActionChains"]).ActionChains(page.driver)
    action.click_and_hold(page.element("#view")).move_by_offset(150, 10).release().perform()
    page.settle()
    assert (page.picture("#view") != before).any(-1).sum() > 2000


def test_image_behind_2d(page):
    page.wait("getComputedStyle(document.getElementById('image')).display !== 'none'")
    end = time.monotonic() + 10
    while (page.picture("#picture")[100, 10] != [40, 180, 40]).any() and time.monotonic() < end:
        time.sleep(0.05)
    np.testing.assert_allclose(page.picture("#picture")[100, 10], [40, 180, 40], atol=4)
    assert page.count("#picture", BLUE) > 20


def test_plot_goes_where_it_is_pressed(page):
    page.run("window.scrollTo(0, 0)")
    plot = page.element("#plot")
    action = __import__("selenium.webdriver", fromlist=["ActionChains"]).ActionChains(page.driver)
    action.move_to_element(plot).click().perform()  # its middle, which is right of half by half of the axis's room
    page.settle()
    width = plot.size["width"]
    assert page.frame == pytest.approx(79 * (width / 2 - 46) / (width - 56), abs=1)


def test_plot_has_a_dot_for_a_frame_alone(browser, tmp_path):
    """As of a dump that has every tenth frame of a clip."""
    whole = person("0", "walking", 0.03)
    some = {name: value[::10] for name, value in vars(whole).items() if isinstance(value, np.ndarray)}
    others = {name: value for name, value in vars(whole).items() if name not in some}
    scene = Scene("some", [LiftedPerson(**some, **others)], np.arange(60) / 30, 30.0, 1000, 1002)
    page = Page(browser, write_page(tmp_path / "some.html", scene))
    page.press(RIGHT)  # where there is nobody
    assert page.frame == 1 and page.count("#plot", BLUE) > 6 * 8


def test_light_and_dark(browser, path):
    light, dark = Page(browser, path), None
    background = light.picture("#view")[-5, 5]
    dark = Page(browser, path, dark=True)
    assert dark.run("return document.documentElement.dataset.theme") == "dark"
    assert background.min() > 200 and dark.picture("#view")[-5, 5].max() < 60
    dark.press("t")
    np.testing.assert_array_equal(dark.picture("#view")[-5, 5], background)
    assert dark.complaints() == []


def test_fits_a_phone(browser, path):
    page = Page(browser, path, width=390, height=844)
    assert page.run("return document.documentElement.scrollWidth") == 390
    assert page.run("return document.querySelector('footer').getBoundingClientRect().bottom") <= 844
    assert page.element("#view").size["height"] > 350
    small = page.run(
        "return [...document.querySelectorAll('button:not([hidden])')].filter((b) => b.offsetParent && "
        "b.offsetHeight < 32).length"
    )
    assert small == 0
    assert page.count("#view", BLUE) > 200
    assert page.complaints() == []


def test_controls_have_names(page):
    unnamed = page.run(
        "return [...document.querySelectorAll('button, select, input, canvas')].filter((part) => "
        "!(part.textContent.trim() || part.ariaLabel)).map((part) => part.outerHTML)"
    )
    assert unnamed == []


def test_names_are_text(browser, tmp_path):
    scene = Scene(EVIL, [person(EVIL, "waving", 0.03, 0.5)], np.arange(15) / 30, 30.0, 0, 0, EVIL, [EVIL])
    page = Page(browser, write_page(tmp_path / "evil.html", scene))
    assert page.driver.title == EVIL
    assert page.text("#title") == page.text("#legend .name") == page.text("#notes-list") == EVIL
    assert page.run("return document.querySelectorAll('img').length") == 0
    assert page.complaints() == []


def test_nothing_can_be_asked_for(page):
    """The policy of the page stops what somebody could put into it, too."""
    refused = page.driver.execute_async_script(
        "const [done] = arguments; document.addEventListener('securitypolicyviolation', (event) => "
        "done(event.effectiveDirective)); fetch('http://127.0.0.1:9/').catch(() => 0)"
    )
    assert refused == "connect-src"
    page.driver.get_log("browser")  # says so, as it should


def test_nobody_there(browser, tmp_path):
    page = Page(browser, write_page(tmp_path / "empty.html", Scene("empty", [], np.arange(3) / 30, 30.0)))
    assert page.text("#message") == "Nobody was found in this recording."
    page.press(RIGHT)
    assert page.frame == 1
    assert page.complaints() == []


def test_ten_thousand_frames_of_five_people(browser, tmp_path):
    """What is drawn of a frame does not grow with frames or people: one call a kind."""
    clip = person("0", "walking", 0.02, 100 / 30)
    poses = np.tile(clip.keypoints_3d, (100, 1, 1))
    rng = np.random.default_rng(0)
    people = [
        LiftedPerson(
            str(i),
            clip.keypoint_set,
            np.arange(10_000),
            poses + rng.normal(0, 0.005, poses.shape),
            spread=rng.uniform(0.02, 0.03, poses.shape[:2]),
            ground_truth=poses + rng.normal(0, 0.005, poses.shape),
        )
        for i in range(5)
    ]
    path = write_page(tmp_path / "long.html", Scene("long", people, np.arange(10_000) / 30, 30.0))
    page = Page(browser, path)
    page.press(END)
    assert page.frame == 9999
    page.press(LEFT)
    calls, draws, steps = page.driver.execute_async_script(
        """
        const [done] = arguments;
        import("page/stage").then(({ Stage }) => {
          const draw = Stage.prototype.draw;
          const draws = [];
          const times = [];
          Stage.prototype.draw = function () {
            const start = performance.now();
            draw.call(this);
            draws.push(performance.now() - start);
            times.push(start);
            if (times.length < 20) return;
            Stage.prototype.draw = draw;
            done([this.renderer.info.render.calls, draws, times.slice(1).map((time, i) => time - times[i])]);
          };
          document.getElementById("play").click();
        });
        """
    )
    size = path.stat().st_size / 1e6
    print(f"{size:.1f} MB; a frame {np.median(steps):.0f} ms, our part of it {np.median(draws):.1f} ms")
    assert calls <= 8
    assert page.complaints() == []
