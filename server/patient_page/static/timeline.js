// Points of the drawings: arrow keys move between them, and what a point says shows beside it on hover and on focus.
// Without this file every point is still a stop of the keyboard, and says the same.
"use strict";

const tip = document.createElement("div");
tip.className = "tl-tip";
tip.setAttribute("aria-hidden", "true"); // the point itself has these words as its name
tip.hidden = true;
document.body.append(tip);

let hiding = 0;
let shown = null;

function show(point) {
  clearTimeout(hiding);
  shown = point;
  tip.textContent = point.getAttribute("aria-label");
  tip.hidden = false;
  place();
}

function place() {
  if (!shown) return;
  const at = (shown.classList.contains("bar") ? shown : shown.querySelector("svg") ?? shown).getBoundingClientRect();
  const room = document.documentElement.clientWidth - tip.offsetWidth - 8;
  const above = at.top - tip.offsetHeight - 14;
  tip.style.left = `${Math.max(8, Math.min(at.left + at.width / 2 - tip.offsetWidth / 2, room))}px`;
  tip.style.top = `${above > 0 ? above : at.bottom + 14}px`;
}

function hide() {
  tip.hidden = true;
  shown = null;
}

function hideSoon() {
  clearTimeout(hiding);
  hiding = setTimeout(hide, 150); // so that the pointer can reach the words
}

tip.addEventListener("pointerenter", () => clearTimeout(hiding));
tip.addEventListener("pointerleave", hideSoon);
document.addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
document.addEventListener("scroll", place, { passive: true, capture: true }); // a focus far down scrolls there, and stays said

const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

for (const drawing of document.querySelectorAll("[data-points]")) {
  const points = [...drawing.querySelectorAll(".point[tabindex]")];
  points.forEach((point, index) => {
    point.tabIndex = index ? -1 : 0; // one stop for each drawing; the arrow keys do the rest
    point.querySelector("title")?.remove(); // else the browser would show the words twice
    point.addEventListener("pointerenter", () => show(point));
    point.addEventListener("pointerleave", hideSoon);
    point.addEventListener("focus", () => show(point));
    point.addEventListener("blur", hideSoon);
    point.addEventListener("keydown", (event) => {
      const ends = { Home: 0, End: points.length - 1 };
      const next = event.key in ends ? ends[event.key] : index + steps[event.key];
      if (!(event.key in ends) && !(event.key in steps)) return;
      event.preventDefault();
      if (!points[next]) return;
      point.tabIndex = -1;
      points[next].tabIndex = 0;
      points[next].focus();
    });
  });
}
