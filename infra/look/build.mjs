// Compiles look.scss and copies htmx and axe-core into the places they are vendored at, then writes the manifest of digests.
// Run `npm ci && npm run build` here; the results are committed, so nobody else needs Node.
import { createHash } from "node:crypto"
import { copyFileSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { compile } from "sass"

const here = dirname(fileURLToPath(import.meta.url))
const root = join(here, "..", "..")
const modules = join(here, "node_modules")
const web = join(root, "services", "chassis", "web", "static")
const journeys = join(root, "tests", "journeys", "vendor")

const version = (name) => JSON.parse(readFileSync(join(modules, name, "package.json"), "utf8")).version

mkdirSync(join(web, "licences"), { recursive: true })
mkdirSync(journeys, { recursive: true })

const { css } = compile(join(here, "look.scss"), { style: "compressed", loadPaths: [modules], quietDeps: true })
if (/GDS|crown|url\(/i.test(css)) throw new Error("the stylesheet must carry no foreign font, crown or address")
writeFileSync(join(web, "look.css"), css.replace(/^\uFEFF/, "") + "\n")

copyFileSync(join(modules, "htmx.org", "dist", "htmx.min.js"), join(web, "htmx.js"))
copyFileSync(join(modules, "htmx.org", "LICENSE"), join(web, "licences", "htmx.txt"))
copyFileSync(join(here, "govuk-frontend.licence.txt"), join(web, "licences", "govuk-frontend.txt"))
copyFileSync(join(modules, "axe-core", "axe.min.js"), join(journeys, "axe.min.js"))
copyFileSync(join(modules, "axe-core", "LICENSE"), join(journeys, "axe.LICENSE.txt"))

const digest = (file) => createHash("sha256").update(readFileSync(file)).digest("hex")
const files = Object.fromEntries(
  readdirSync(web)
    .filter((name) => /\.(css|js|svg)$/.test(name))
    .sort()
    .map((name) => [name, digest(join(web, name))]),
)
const vendored = { "govuk-frontend": version("govuk-frontend"), "htmx.org": version("htmx.org") }
writeFileSync(join(web, "manifest.json"), JSON.stringify({ files, vendored }, null, 2) + "\n")
const axe = { "axe.min.js": digest(join(journeys, "axe.min.js")) }
writeFileSync(join(journeys, "manifest.json"), JSON.stringify({ files: axe, vendored: { "axe-core": version("axe-core") } }, null, 2) + "\n")
