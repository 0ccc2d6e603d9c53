/**
 * Every metric the program exposes, by name. The `gen_ai` names follow the OpenTelemetry conventions for generative AI
 * (dots become underscores, the unit is a suffix), which are still moving: this is the one place to follow them.
 */
export const METRIC = {
  requestDuration: 'http_server_request_duration_seconds',
  requestErrors: 'opengrid_request_errors_total',
  requestBytesIn: 'opengrid_request_bytes_in_total',
  requestBytesOut: 'opengrid_request_bytes_out_total',
  requestsInFlight: 'opengrid_inference_requests_in_flight',
  sockets: 'opengrid_sockets',
  deliveryDuration: 'gen_ai_server_request_duration_seconds',
  timeToFirstToken: 'gen_ai_server_time_to_first_token_seconds',
  timePerOutputToken: 'gen_ai_server_time_per_output_token_seconds',
  outputTokens: 'gen_ai_server_output_tokens_total',
  faults: 'opengrid_faults_total',
  systemEvents: 'opengrid_system_events_total',
  sequencerQueue: 'opengrid_sequencer_queue_length',
  sequencerEpoch: 'opengrid_sequencer_epoch',
  sequencerIsLeading: 'opengrid_sequencer_is_leading',
  sequencerCommits: 'opengrid_sequencer_commits_total',
  sequencerCommands: 'opengrid_sequencer_commands_total',
  eventLoopLag: 'opengrid_event_loop_lag_seconds',
  processMemory: 'opengrid_process_resident_memory_bytes',
  processCpu: 'opengrid_process_cpu_seconds_total',
  startTime: 'opengrid_process_start_time_seconds',
} as const;
