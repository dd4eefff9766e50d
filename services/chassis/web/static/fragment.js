// Comfort only: a form takes its field from what stands behind "#" in the address, forgets it there, and is sent.
"use strict"
const waiting = document.querySelector("form[data-fragment]")
const told = location.hash.slice(1)
if (waiting && told) {
  history.replaceState(null, "", location.pathname)
  waiting.elements[waiting.dataset.fragment].value = told
  waiting.requestSubmit()
}
