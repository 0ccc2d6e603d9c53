/** A question to the counting thread. The text is content: it is counted and forgotten. */
export interface CountQuestion {
  readonly id: number;
  readonly text: string;
}

export interface CountReply {
  readonly id: number;
  readonly tokens: number;
}
