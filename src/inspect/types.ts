// SPDX-License-Identifier: Apache-2.0

/** What a chain says of a call: the gravest finding decides. */
export type InspectionVerdict = 'allow' | 'deny' | 'warn'

/** Where in the parameters something was found. */
export interface FindingSpan {
  /** JSON Pointer (RFC 6901) of the string. */
  readonly pointer: string
  /** First byte of its UTF-8. */
  readonly start: number
  /** The byte after the last. */
  readonly end: number
}

/** One thing that an inspector found. */
export interface InspectorFinding {
  /** The inspector's name. */
  readonly inspector: string
  /** A stable code, such as `EGRESS_UPLOAD`. */
  readonly code: string
  /** `warn`: somebody should see it. `deny`: the call must not be made. */
  readonly severity: 'deny' | 'warn'
  /** For people. Text of the call in it is not escaped. */
  readonly message: string
  readonly span?: FindingSpan
}

/** What a chain says of one call. */
export interface Inspection {
  readonly verdict: InspectionVerdict
  /** In the order of the chain. */
  readonly findings: readonly InspectorFinding[]
}

/** A tool call, before it is made. */
export interface ToolCall {
  readonly tool: string
  readonly params: unknown
}

/** What an inspector of your own says: `deny` unless a severity is given. */
export interface CustomFinding {
  readonly message: string
  /** Upper case; `CUSTOM` unless given. */
  readonly code?: string
  readonly severity?: 'deny' | 'warn'
  readonly span?: FindingSpan
}

/** Nothing, one finding or several. */
export type CustomFindings = CustomFinding | null | readonly CustomFinding[] | undefined

/**
 * What follows when an inspector fails or takes too long: the call is denied, or the failure is a
 * warning and the call may go on.
 */
export type OnFailure = 'fail-closed' | 'fail-open'

/** What an inspector remembers of one session. */
export type InspectorMemory = Map<string, unknown>

/** An inspector of your own that answers at once. */
export interface CustomInspector {
  readonly name: string
  /** Looks at a call. What it throws is a failure. */
  readonly inspect: (call: ToolCall, memory: InspectorMemory) => CustomFindings
  /** The chain's choice unless given. */
  readonly onFailure?: OnFailure
}

/** An inspector of your own that waits for something; needs `inspectAsync`. */
export interface WaitingInspector {
  readonly name: string
  /** Looks at a call. The signal is aborted when it has taken too long. */
  readonly inspectAsync: (
    call: ToolCall,
    memory: InspectorMemory,
    signal: AbortSignal,
  ) => Promise<CustomFindings>
  /** How long it may take, milliseconds; 10,000 unless given. */
  readonly timeoutMs?: number
  /** The chain's choice unless given. */
  readonly onFailure?: OnFailure
}

/** An inspector that comes with Ambit, and its options. */
export interface BuiltinInspector {
  readonly name: string
  /** As the addon reads it. */
  readonly spec: { readonly kind: string; readonly [option: string]: unknown }
}
