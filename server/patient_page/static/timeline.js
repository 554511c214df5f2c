// Points of the drawings: arrow keys move between them, and what a point says shows beside it on hover and on focus.
// Without this file every point is still a stop of the keyboard, and says the same.
"use strict";

const tip = document.createElement("div");
tip.className = "tl-tip";
tip.setAttribute("aria-hidden", "true"); // the point itself has these words as its name
tip.hidden = true;
document.body.append(tip);

let hiding = 0;

function show(point) {
  clearTimeout(hiding);
  tip.textContent = point.getAttribute("aria-label");
  tip.hidden = false;
  const shape = (point.querySelector("svg") ?? point).getBoundingClientRect();
  const at = point.classList.contains("bar") ? point.getBoundingClientRect() : shape;
  const width = document.documentElement.clientWidth;
  const left = Math.min(Math.max(8, at.left + at.width / 2 - tip.offsetWidth / 2), width - tip.offsetWidth - 8);
  const above = at.top - tip.offsetHeight - 14;
  tip.style.left = `${Math.max(8, left)}px`;
  tip.style.top = `${above > 0 ? above : at.bottom + 14}px`;
}

function hideSoon() {
  clearTimeout(hiding);
  hiding = setTimeout(() => { tip.hidden = true; }, 150); // so that the pointer can reach the words
}

tip.addEventListener("pointerenter", () => clearTimeout(hiding));
tip.addEventListener("pointerleave", hideSoon);
document.addEventListener("keydown", (event) => { if (event.key === "Escape") tip.hidden = true; });
document.addEventListener("scroll", () => { tip.hidden = true; }, { passive: true, capture: true });

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
