import type { ChatRequest } from '../chat/types.ts';
import type { MessagesRequest } from '../messages/types.ts';
import type { ResponsesRequest } from '../responses/types.ts';

/** A checked request of any surface. Everything outside `body` is free of content. */
export type InferenceRequest = ChatRequest | MessagesRequest | ResponsesRequest;
