// Comfort only: every form works without it. Counts ticked rows, shift-select, focus after a swap, calm announcements.
"use strict"
document.documentElement.classList.add("look-js")

for (const form of document.querySelectorAll("[data-bulk]")) {
  const boxes = [...form.querySelectorAll("input[name=ids]")]
  const page = form.querySelector("[data-bulk-page]")
  const all = form.querySelector("[name=all]")
  const count = form.querySelector("[data-bulk-count]")
  let last = -1
  const show = () => {
    const ticked = boxes.filter((box) => box.checked).length
    const everything = all && all.checked
    page.checked = boxes.length > 0 && ticked === boxes.length
    page.indeterminate = ticked > 0 && ticked < boxes.length
    count.textContent = everything ? all.dataset.text : `Đã chọn ${ticked.toLocaleString("vi-VN")}`
  }
  page.closest("[hidden]").hidden = false
  page.disabled = boxes.length === 0
  page.addEventListener("change", () => {
    for (const box of boxes) box.checked = page.checked
    if (all && !page.checked) all.checked = false
    show()
  })
  if (all) all.addEventListener("change", () => {
    for (const box of boxes) box.checked = all.checked
    show()
  })
  form.addEventListener("click", (event) => {
    const now = boxes.indexOf(event.target)
    if (now < 0) return
    if (event.shiftKey && last >= 0) {
      for (const box of boxes.slice(Math.min(now, last), Math.max(now, last) + 1)) box.checked = event.target.checked
    }
    if (all && !event.target.checked) all.checked = false
    last = now
    show()
  })
  addEventListener("pageshow", show)
  show()
}

// Menus close like menus.
const menus = document.querySelectorAll("details.look-drop")
const close = (keep) => menus.forEach((menu) => menu === keep || menu.removeAttribute("open"))
document.addEventListener("click", (event) => close(event.target.closest("details.look-drop")))
document.addEventListener("keydown", (event) => {
  const open = document.querySelector("details.look-drop[open]")
  if (event.key !== "Escape" || !open) return
  close()
  open.querySelector("summary").focus()
})

const summary = document.querySelector(".govuk-error-summary")
if (summary) summary.focus()

// The panel is swapped every two seconds; what it says is read out at most every five.
const live = document.querySelector("[data-live]")
if (live) {
  let said = 0
  let timer
  const say = () => {
    const source = document.querySelector("[data-say]")
    if (source && source.textContent !== live.textContent) live.textContent = source.textContent
    said = Date.now()
    timer = undefined
  }
  document.addEventListener("htmx:afterSwap", () => {
    timer ??= setTimeout(say, Math.max(0, said + 5000 - Date.now()))
    const target = document.querySelector("[data-focus]")
    if (target && !document.activeElement.matches("a, button, input, select, textarea, summary")) target.focus()
  })
}
