// SPDX-License-Identifier: Apache-2.0
// Files that a run left behind, by their digests.
import { opendir } from 'node:fs/promises'
import { normalize } from 'node:path/posix'
import { ReceiptError } from '../errors.js'
import { digestOf } from './file-digest.js'
import { Glob, type Positions } from './glob.js'
import { isWithin } from './paths.js'

/** A file by its digest. */
interface Artifact {
  /** Absolute, without symbolic links in it. */
  readonly path: string
  /** 64 hex digits. */
  readonly sha256: string
  readonly bytes: number
}

/** What was found of the files that were asked for. */
export interface Artifacts {
  readonly artifacts: readonly Artifact[]
  /** True when a limit was reached, so that more may be there. */
  readonly truncated: boolean
}

/** What is looked for, and where. */
export interface ArtifactSearch {
  /** Absolute paths and globs. */
  readonly patterns: readonly string[]
  /** What commands could write: nothing else is an artifact. */
  readonly trees: readonly string[]
  /** What no command could see. */
  readonly hidden: readonly string[]
}

/** Largest artifact and all of them, bytes, and how many there may be. */
const MAX_ARTIFACT = 64 * 1024 * 1024
const MAX_ALL_ARTIFACTS = 256 * 1024 * 1024
const MAX_ARTIFACTS = 256
/** Entries of folders that are looked at, and how deep. */
const MAX_VISITED = 50_000
const MAX_DEPTH = 64

const GLOB = /[*?[]/u

/** Returns the plain files that are meant and lie where a command could write, as they are now. */
export async function artifactsOf(search: ArtifactSearch): Promise<Artifacts> {
  const walk = new Walk(search)
  for (const pattern of new Set(search.patterns)) {
    if (GLOB.test(pattern)) await walk.follow(pattern)
    else if (pattern === normalize(pattern)) walk.add(pattern)
  }
  return await digestAll([...walk.found].toSorted(), walk.truncated)
}

async function digestAll(paths: readonly string[], more: boolean): Promise<Artifacts> {
  const artifacts: Artifact[] = []
  let [room, truncated] = [MAX_ALL_ARTIFACTS, more || paths.length > MAX_ARTIFACTS]
  for (const path of paths.slice(0, MAX_ARTIFACTS)) {
    try {
      const artifact = { path, ...(await digestOf(path, Math.min(room, MAX_ARTIFACT))) }
      room -= artifact.bytes
      artifacts.push(artifact)
    } catch (error) {
      if (!(error instanceof ReceiptError)) throw error
      // not there, no plain file, or too large: the last is a limit, and cannot be told apart here
      truncated ||= room < MAX_ARTIFACT
    }
  }
  return { artifacts, truncated }
}

/** A search of folders that follows no symbolic link and comes to an end. */
class Walk {
  readonly found = new Set<string>()
  truncated = false
  readonly #search: ArtifactSearch
  #visited = 0

  constructor(search: ArtifactSearch) {
    this.#search = search
  }

  /** Takes a path if it lies where it may. */
  add(path: string): void {
    const { trees, hidden } = this.#search
    if (!trees.some((tree) => isWithin(path, tree))) return
    if (hidden.some((tree) => isWithin(path, tree))) return
    this.found.add(path)
  }

  /** Takes every file that a glob matches, in the trees alone. */
  async follow(pattern: string): Promise<void> {
    const glob = new Glob(pattern)
    for (const tree of this.#search.trees) {
      let positions = glob.start
      const names = tree.split('/').filter((name) => name !== '')
      for (const name of names) positions = glob.step(positions, name)
      await this.#folder(glob, { path: tree === '/' ? '' : tree, positions, depth: names.length })
    }
  }

  async #folder(glob: Glob, root: Folder): Promise<void> {
    const waiting = [root]
    for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
      if (folder.positions.size === 0 || this.#isHidden(folder.path)) continue
      const depth = folder.depth + 1
      for await (const entry of entriesOf(folder.path)) {
        this.#visited += 1
        if (this.#visited > MAX_VISITED || depth > MAX_DEPTH) {
          this.truncated = true
          return
        }
        const path = `${folder.path}/${entry.name}`
        const positions = glob.step(folder.positions, entry.name)
        if (entry.isDirectory()) waiting.push({ path, positions, depth })
        else if (entry.isFile() && glob.isMatch(positions)) this.add(path)
      }
    }
  }

  #isHidden(path: string): boolean {
    return this.#search.hidden.some((tree) => isWithin(path === '' ? '/' : path, tree))
  }
}

interface Folder {
  readonly path: string
  readonly positions: Positions
  readonly depth: number
}

/** The entries of a folder; none of one that is not there or not ours to read. */
async function* entriesOf(path: string) {
  try {
    yield* await opendir(path === '' ? '/' : path)
  } catch {
    // what cannot be listed is no claim
  }
}
