// SPDX-License-Identifier: Apache-2.0
// The contracts of `examples/contracts`: each is for `/srv/work`, and is tried in a folder of its own.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { root } from './installed.js'

/** What an example stands on, and what it makes. */
export interface Example {
  readonly name: string
  /** Programs that must be installed. */
  readonly programs: readonly string[]
  /** Puts into a folder what the contract works on. */
  readonly prepare: (work: string) => void
}

/** Where the examples say that they are, and Rust is. */
const [WORK, RUST] = ['/srv/work', '/srv/rust']

/** Puts contract and policy into a folder, written for this machine and the folder `work`. */
export function documentsOf(name: string, work: string, folder: string) {
  const sysroot = name === 'cargo' ? run('rustc', ['--print', 'sysroot'], work).trim() : RUST
  const read = (kind: string) =>
    readFileSync(join(root, 'examples/contracts', `${name}.${kind}`), 'utf8')
      .replaceAll(WORK, work)
      .replaceAll(RUST, sysroot)
  const files = { contract: join(folder, 'contract.json'), policy: join(folder, 'policy.yaml') }
  writeFileSync(files.contract, read('contract.json'))
  writeFileSync(files.policy, read('policy.yaml'))
  return files
}

function put(work: string, files: Readonly<Record<string, string>>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(work, name)), { recursive: true })
    writeFileSync(join(work, name), content)
  }
}

const run = (program: string, argv: readonly string[], cwd: string) =>
  execFileSync(program, argv, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })

function prepareGit(work: string): void {
  const repo = join(work, 'repo')
  put(repo, { 'README.md': 'one\n' })
  const git = (...argv: readonly string[]) => run('/usr/bin/git', argv, repo)
  git('init', '--quiet')
  git('config', 'user.name', 'Ada')
  git('config', 'user.email', 'ada@example.org')
  git('add', '.')
  git('commit', '--quiet', '--message=first')
  put(repo, { 'README.md': 'one\ntwo\n' })
}

/** A package whose only dependency is a tarball in the repository. */
function prepareNpm(work: string): void {
  put(work, {
    'left/package.json': '{"name":"left","version":"1.0.0","main":"index.js"}',
    'left/index.js': 'module.exports = (text, length) => text.padStart(length)\n',
    'package.json': JSON.stringify({
      name: 'shop',
      version: '1.0.0',
      scripts: { test: 'node --test test.js' },
      dependencies: { left: 'file:left-1.0.0.tgz' },
    }),
    'test.js': [
      "const test = require('node:test')",
      "const assert = require('node:assert')",
      "const left = require('left')",
      "test('pads', () => assert.equal(left('x', 3), '  x'))",
      "process.on('exit', () => require('node:fs').writeFileSync('tested.txt', 'tested\\n'))",
      '',
    ].join('\n'),
  })
  run('npm', ['pack', './left'], work)
  run('npm', ['install', '--package-lock-only', '--offline', '--no-audit'], work)
}

function prepareCargo(work: string): void {
  put(join(work, 'crate'), {
    'Cargo.toml': '[package]\nname = "shop"\nversion = "0.1.0"\nedition = "2021"\n',
    // a build script is a program that the build starts
    'build.rs': 'fn main() { println!("cargo:rustc-env=WORD=built"); }\n',
    'src/main.rs':
      'fn main() { println!("{}", env!("WORD")); }\n#[test]\nfn adds() { assert_eq!(1 + 1, 2); }\n',
  })
}

function preparePython(work: string): void {
  put(work, {
    'shop.py': 'def total(prices):\n    return sum(prices)\n',
    'test_shop.py':
      'from shop import total\n\ndef test_total(tmp_path):\n    assert total([1, 2]) == 3\n',
  })
  const argv = ['-m', 'pip', 'download', '--quiet', '--dest', 'wheels', 'pytest']
  run('/usr/bin/python3', ['-m', 'venv', 'setup'], work)
  run(join(work, 'setup/bin/python3'), argv, work)
}

function prepareMake(work: string): void {
  put(work, {
    Makefile:
      'hello: main.o word.o\n\tcc -o $@ $^\n\t./hello > said.txt\n%.o: %.c\n\tcc -c -o $@ $<\n',
    'main.c': '#include <stdio.h>\nconst char *word(void);\nint main(void) { puts(word()); }\n',
    'word.c': 'const char *word(void) { return "made"; }\n',
  })
}

function prepareJava(work: string): void {
  mkdirSync(join(work, 'out'))
  put(work, {
    'Hello.java': [
      'public class Hello {',
      '  public static void main(String[] arguments) throws Exception {',
      '    Thread thread = new Thread(() -> System.out.println("hello from the JVM"));',
      '    thread.start();',
      '    thread.join();',
      '  }',
      '}',
      '',
    ].join('\n'),
  })
}

function prepareChromium(work: string): void {
  mkdirSync(join(work, 'out'))
  const script = 'document.body.textContent = "rendered " + (6 * 7)'
  put(work, { 'page.html': `<!doctype html><body><script>${script}</script></body>\n` })
}

export const EXAMPLES: readonly Example[] = [
  { name: 'git', programs: ['/usr/bin/git'], prepare: prepareGit },
  { name: 'npm', programs: ['/usr/bin/npm'], prepare: prepareNpm },
  { name: 'make', programs: ['/usr/bin/make', '/usr/bin/cc'], prepare: prepareMake },
  { name: 'python', programs: ['/usr/bin/python3'], prepare: preparePython },
  { name: 'cargo', programs: ['/usr/bin/cc'], prepare: prepareCargo },
  { name: 'java', programs: ['/usr/bin/javac'], prepare: prepareJava },
  { name: 'chromium', programs: ['/usr/bin/chromium'], prepare: prepareChromium },
]
