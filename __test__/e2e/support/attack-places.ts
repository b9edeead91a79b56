// SPDX-License-Identifier: Apache-2.0
// Where the recorded attacks are held that `attacks.test.ts` does not try itself.

/** Decided as recorded in `decisions.test.ts`, `recorded attacks on policies`. */
export const HELD_BY_DECISION = [
  'atk-001',
  'atk-002',
  'atk-003',
  'atk-004',
  'atk-005',
  'atk-009',
  'atk-010',
  'atk-011',
  'atk-014',
  'atk-016',
  'atk-017',
  'atk-018',
  'atk-019',
  'atk-023',
  'atk-026',
  'atk-028',
  'atk-031',
  'atk-045',
] as const

/** The test that holds an attack, by its file and a part of its name. */
export const ELSEWHERE: Readonly<Record<string, readonly [path: string, name: string]>> = {
  'atk-027': [
    '__test__/cli/exit-codes.test.ts',
    'refuses what it cannot hold a command to with 122',
  ],
  'atk-032': ['__test__/approval/attacks.test.ts', '$id is held: $title'],
  'atk-033': ['__test__/approval/judge.test.ts', 'satisfy dual control, and one does not'],
  'atk-035': ['__test__/e2e/approvals.test.ts', 'starts once with it, and leaves both on record'],
  'atk-037': ['__test__/e2e/approvals.test.ts', 'starts once of many that race for one approval'],
  'atk-040': ['__test__/approval/csc.test.ts', "'dup-key': 'malformed'"],
  'atk-041': ['__test__/approval/attacks.test.ts', '$id is held: $title'],
  'atk-042': ['__test__/e2e/approvals.test.ts', 'starts once with it, and leaves both on record'],
  'atk-043': ['__test__/approval/csc.test.ts', "'APPROVAL_EXPIRED'"],
  'atk-044': ['__test__/approval/csc.test.ts', "'APPROVAL_MISMATCH'"],
  'atk-059': ['__test__/e2e/protections.test.ts', 'plants no hook, neither in a folder of hooks'],
  'atk-068': ['__test__/e2e/breakout.test.ts', "'net-abstract': NO_SOCKET"],
  'atk-102': ['__test__/e2e/limits.test.ts', "name: 'processes'"],
  'atk-103': ['__test__/e2e/limits.test.ts', "name: 'processes'"],
  'atk-111': ['__test__/cli/signals.test.ts', 'recorded as interrupted'],
}

/** What is not held, and words of its line in docs/shortcomings.md. */
export const NAMED: Readonly<Record<string, string>> = {
  'atk-140': 'leaves no record',
  'atk-148': 'symbolic link',
}

/** What is held in `hardened` mode alone. */
export const NOT_IN_LOCAL = [
  'atk-007',
  'atk-008',
  'atk-015',
  'atk-027',
  'atk-047',
  'atk-051',
  'atk-055',
  'atk-059',
  'atk-102',
  'atk-106',
  'atk-110',
  'atk-132',
] as const
