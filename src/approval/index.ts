// SPDX-License-Identifier: Apache-2.0
export { type Approved, applyApprovals, approversNeeded } from './apply.js'
export { describeContract } from './describe.js'
export { type ListedApproval, approvalPath, approvalsIn, writeApproval } from './folder.js'
export type { Matter } from './judge.js'
export { type Approval, type Binding, loadApproval, parseApproval } from './parse.js'
export type { ApprovalScope } from './schema.js'
export { type ApprovalTerms, signApproval } from './sign.js'
