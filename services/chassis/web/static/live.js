// Comfort only: a panel whose service tells of changes is swapped at each of them; its own clock goes on for when nothing comes through.
"use strict"
const told = document.querySelector("[data-events]")
if (told && window.EventSource) {
  const source = new EventSource(told.dataset.events)
  source.addEventListener("message", () => {
    const panel = document.querySelector("[data-events]")
    if (panel) panel.dispatchEvent(new CustomEvent("told"))
    else source.close()
  })
}
