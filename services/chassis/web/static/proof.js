// For pages that ask who is there: passkeys, and what goes on by itself once that is known.
"use strict"

// Passkeys: the server says what to ask, the answer goes into the form's hidden field and the form is sent.
for (const offer of document.querySelectorAll("[data-passkey]")) {
  if (!window.PublicKeyCredential || !PublicKeyCredential.parseRequestOptionsFromJSON) continue
  const create = offer.dataset.passkey === "create"
  const form = offer.closest("form")
  offer.hidden = false
  offer.querySelector("button").addEventListener("click", async () => {
    const said = offer.querySelector("[role=status]")
    said.textContent = ""
    try {
      const answer = await fetch(offer.dataset.options, { method: "POST" })
      if (!answer.ok) throw new Error(String(answer.status))
      const options = await answer.json()
      const credential = create
        ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
        : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) })
      form.elements.passkey.value = JSON.stringify(credential)
      form.requestSubmit()
    } catch {
      said.textContent = "Chưa dùng được khoá truy cập. Thử lại hoặc dùng cách khác."
    }
  })
}

// What was held back until the person confirmed goes on by itself; coming back to the page does not send it again.
const held = document.querySelector("form[data-go-on]")
if (held && performance.getEntriesByType("navigation")[0]?.type === "navigate") held.requestSubmit()
