// SPDX-License-Identifier: Apache-2.0
export { type Approved, applyApprovals } from './apply.js'
export { describeContract } from './describe.js'
export { approvalPath, approvalsIn, writeApproval } from './folder.js'
export { type Matter, judge } from './judge.js'
export { type Approval, loadApproval, parseApproval } from './parse.js'
export type { ApprovalScope } from './schema.js'
export { type ApprovalTerms, signApproval } from './sign.js'
