/** What an endpoint can do; names as the contract's capabilities. */
export interface EndpointCapabilities {
  readonly tools: boolean;
  readonly jsonSchema: boolean;
  readonly images: boolean;
  readonly logprobs: boolean;
  readonly n: boolean;
  readonly seed: boolean;
  readonly penalties: boolean;
  readonly logitBias: boolean;
  readonly temperature: boolean;
  readonly efforts: readonly string[];
  readonly reasoningText: boolean;
  /** Accepts the role `developer`. */
  readonly developerRole: boolean;
  /** Knows `store`, and is sent `store: false`. */
  readonly store: boolean;
  /** Name of its output limit. */
  readonly outputLimitField: 'max_tokens' | 'max_completion_tokens';
  /** Request fields passed on unchanged besides the known ones. */
  readonly passThroughParams: readonly string[];
  /** Takes documents and results of searches (Anthropic wire). */
  readonly documents?: boolean;
  /** Knows the typed tools that clients run: shell, editor, computer, memory (Anthropic wire). */
  readonly clientTools?: boolean;
  /** How reasoning is switched on (Anthropic wire). */
  readonly thinking?: 'budget' | 'adaptive';
  /** Its attestation covers prompt caching in memory, so marks may be sent (Anthropic wire). */
  readonly promptCaching?: boolean;
  /** Takes `context_management` (Anthropic wire). */
  readonly contextManagement?: boolean;
  /** Values of `anthropic-beta` that are passed on. */
  readonly betaFlags?: readonly string[];
  /** Takes tools that are called with free text (Responses wire). */
  readonly customTools?: boolean;
  /** Gives summaries of its reasoning (Responses wire). */
  readonly reasoningSummary?: boolean;
  /** Gives its reasoning in encrypted form and takes it back (Responses wire). */
  readonly encryptedReasoning?: boolean;
}

export interface Endpoint {
  readonly endpointId: string;
  readonly supplierId: string;
  /** Account of the supplier, who is paid for deliveries. */
  readonly supplierAccount: number;
  readonly supplierName: string;
  readonly isManaged: boolean;
  /** Without trailing slash; the wire's path is appended. */
  readonly baseUrl: string;
  readonly wire: 'openai' | 'openai-responses' | 'anthropic';
  readonly authStyle: 'bearer' | 'x-api-key';
  /** Decrypted, for the request header only; null when the supplier needs none. */
  readonly credential: string | null;
  readonly upstreamModel: string;
  readonly servedModel: string;
  readonly region: string | null;
  readonly capabilities: EndpointCapabilities;
  readonly maxConcurrency: number;
  readonly substitution: { readonly isAccepted: boolean; readonly priceTicks: number | null };
  readonly qualification: 'probed' | 'waived';
  readonly allowPrivate: boolean;
}

export interface SupplierSummary {
  readonly supplierId: string;
  readonly accountNumber: number;
  readonly displayName: string;
  readonly status: 'applied' | 'approved' | 'suspended' | 'terminated';
  readonly isManaged: boolean;
}

/** Suppliers and their endpoints, in memory. */
export interface SupplierDirectory {
  /** Endpoints in service for an instrument: approved supplier, qualified or waived, not paused. */
  endpointsFor(instrumentNo: number): readonly Endpoint[];
  supplier(supplierId: string): SupplierSummary | undefined;
  supplierByAccount(accountNumber: number): SupplierSummary | undefined;
}

/** How one try at an endpoint went, as far as the endpoint is to blame. */
export interface Delivered {
  readonly endpoint: Pick<Endpoint, 'endpointId' | 'supplierId'>;
  readonly instrumentNo: number;
  /** It failed, or was out of specification. */
  readonly isBad: boolean;
  readonly billedTokens: number;
  /** Tokens reported beyond what was billed. */
  readonly excessTokens: number;
}

/** Who watches how suppliers deliver. */
export interface SupplierConduct {
  note(delivered: Delivered): void;
}
