// Invented market data in the shapes of the contract. Prices are ticks of 0.0001 USD; the walk is seeded, so that
// pictures of the page can be compared.
const rows = [
  // symbol, name, input limit, context, output limit, first token ms, tokens/s, stage, price in ticks (0: no book)
  ['text-standard', 'Text Standard', 120_000, 128_000, 65_536, 1_320, 100, 'live', 25_050],
  ['text-prime', 'Text Prime', 120_000, 196_608, 131_072, 4_620, 40, 'live', 9_000],
  ['text-max', 'Text Max', 922_000, 1_000_000, 128_000, 3_500, 30, 'live', 0],
  ['code-standard', 'Code Standard', 120_000, 128_000, 65_536, 1_500, 100, 'preview', 0],
  ['code-prime', 'Code Prime', 120_000, 196_608, 131_072, 4_000, 40, 'preview', 31_200],
  ['code-max', 'Code Max', 922_000, 1_000_000, 128_000, 5_000, 30, 'preview', 0],
  ['agent-standard', 'Agent Standard', 120_000, 128_000, 65_536, 2_000, 100, 'preview', 142_500],
  ['agent-prime', 'Agent Prime', 120_000, 196_608, 131_072, 5_000, 40, 'preview', 0],
  ['agent-max', 'Agent Max', 922_000, 1_000_000, 128_000, 6_000, 30, 'preview', 0],
];

/** Mulberry32: small, seeded, good enough to invent numbers with. */
const randomOf = (seed) => {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
};

const price = (ticks) => (ticks / 10_000).toFixed(4);
const money = (micros) => (micros / 1_000_000).toFixed(6);
const between = (random, low, high) => low + Math.floor(random() * (high - low + 1));
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';

const idOf = (random, prefix) => {
  const letters = Array.from({ length: 24 }, () => alphabet[between(random, 0, 31)]);
  return `${prefix}_01${letters.join('')}`;
};

const cumulative = (levels) => {
  let total = 0;
  return levels.map(({ ticks, quantity, orders }) => {
    total += quantity;
    return { price: price(ticks), quantity, size: quantity, order_count: orders, total };
  });
};

class Book {
  constructor(row, { random, isEmpty }) {
    const [symbol, name, , , , , , , ticks] = row;
    Object.assign(this, {
      row,
      random,
      symbol,
      name,
      centre: isEmpty ? 0 : ticks,
      sequence: 48_200,
      trades: [],
      volume: 0,
    });
    this.opening = this.centre;
    if (this.centre === 0) return;
    for (let age = 40; age > 0; age -= 1) this.trade(Date.now() - age * age * 1_500);
    this.reshape();
  }

  get step() {
    return Math.max(10, Math.round(this.centre / 250 / 10) * 10);
  }

  reshape() {
    const side = (direction) =>
      Array.from({ length: 14 }, (_, index) => ({
        ticks: this.centre + direction * (this.step / 2 + index * this.step),
        quantity: between(this.random, 1, 12 + index * 3),
        orders: between(this.random, 1, 4),
      }));
    this.bids = side(-1);
    this.asks = side(1);
  }

  trade(atMs) {
    const side = this.random() < 0.6 ? 'buy' : 'sell';
    const ticks = this.centre + (side === 'buy' ? 1 : -1) * (this.step / 2);
    const quantity = between(this.random, 1, 9);
    const at = new Date(atMs).toISOString();
    const id = idOf(this.random, 'trade');
    this.sequence += 1;
    this.volume += quantity;
    this.trades.unshift({
      trade_id: id,
      id,
      sequence: this.sequence,
      market_id: `market-${this.symbol}`,
      market_name: `${this.symbol}/USD`,
      instrument_id: `instrument-${this.symbol}`,
      instrument_symbol: this.symbol,
      instrument_name: this.name,
      price: price(ticks),
      quantity,
      total_value: money(ticks * quantity * 100),
      side,
      status: 'settled',
      execution_timestamp: at,
      timestamp: at,
      settlement_timestamp: at,
    });
    this.trades.length = Math.min(this.trades.length, 100);
  }

  tick(nowMs) {
    if (this.centre === 0) return;
    this.sequence += 1;
    const level = (this.random() < 0.5 ? this.bids : this.asks)[between(this.random, 0, 9)];
    level.quantity = Math.max(1, level.quantity + between(this.random, -4, 4));
    if (this.random() < 0.3) this.trade(nowMs);
    if (this.random() < 0.15) {
      this.centre += this.step * (this.random() < 0.5 ? 1 : -1);
      this.reshape();
    }
  }

  orderbook(depth) {
    const bids = cumulative((this.bids ?? []).slice(0, depth));
    const asks = cumulative((this.asks ?? []).slice(0, depth));
    const timestamp = new Date().toISOString();
    return {
      market_id: `market-${this.symbol}`,
      symbol: this.symbol,
      sequence: this.sequence,
      timestamp,
      buy: bids,
      sell: asks,
      bids,
      asks,
      checksum: 0,
    };
  }

  ticker() {
    const last = this.trades[0];
    const bid = this.bids ? price(this.bids[0].ticks) : null;
    const ask = this.asks ? price(this.asks[0].ticks) : null;
    const base = {
      market_id: `market-${this.symbol}`,
      symbol: this.symbol,
      last_price: last?.price ?? null,
      last_trade_quantity: last?.quantity ?? null,
      last_trade_timestamp: last?.timestamp ?? null,
      highest_bid: bid,
      lowest_ask: ask,
      bid,
      ask,
      volume_24h: this.volume,
      timestamp: new Date().toISOString(),
      sequence: this.sequence,
    };
    if (!last) return base;
    const change = this.centre - this.opening;
    const ticks = this.trades.map((trade) => Math.round(Number(trade.price) * 10_000));
    return {
      ...base,
      high_24h: price(Math.max(...ticks)),
      low_24h: price(Math.min(...ticks)),
      quote_volume_24h: money(this.volume * this.centre * 100),
      price_change_24h: price(change),
      price_change_percent_24h: ((change / this.opening) * 100).toFixed(2),
    };
  }

  market() {
    const at = '2026-01-01T00:00:00.000Z';
    return {
      market_id: `market-${this.symbol}`,
      id: `market-${this.symbol}`,
      name: `${this.symbol}/USD`,
      symbol: this.symbol,
      description: `Spot market for ${this.name} units`,
      market_type: 'spot',
      status: 'active',
      trading_state: 'open',
      associated_instruments: [],
      instruments: [],
      qualification: 'waived',
      fees: { maker_bps: 0, taker_bps: 50 },
      order_controls: {
        tick_size: '0.0001',
        lot_size: 1,
        min_order_size: 1,
        max_order_size: 10_000,
        market_collar_bps: 1_000,
        limit_collar_bps: 5_000,
        auto_buy_collar_bps: 1_000,
        reference_price: null,
        max_open_orders: 500,
      },
      created_at: at,
      updated_at: at,
    };
  }

  model() {
    const [symbol, name, input, context, output, firstTokenMs, speed, stage] = this.row;
    const [family, tier] = symbol.split('-');
    const { bid, ask, last_price: last } = this.ticker();
    const perToken = ask === null ? null : String(Number(ask) / 1_000_000);
    return {
      id: symbol,
      object: 'model',
      created: 1_767_225_600,
      owned_by: 'opengrid',
      display_name: name,
      instrument_id: `instrument-${symbol}`,
      market_id: `market-${symbol}`,
      family,
      tier,
      stage,
      status: 'active',
      qualification: 'waived',
      spec_version: 1,
      context_length: context,
      max_input_tokens: input,
      max_completion_tokens: output,
      input_modalities: ['text'],
      output_modalities: ['text'],
      attachments: false,
      capabilities: {
        tools: true,
        structured_outputs: true,
        streaming: true,
        temperature: true,
        logprobs: false,
      },
      reasoning: {
        supported: true,
        mandatory: true,
        toggle: false,
        supported_efforts: ['low', 'medium', 'high'],
        default_effort: 'medium',
      },
      quality: { index: `aa_${family}`, floor: null },
      sla: {
        ttft_ms_max: firstTokenMs,
        tokens_per_second_min: speed,
        uptime_min: 0.99,
        error_rate_max: 0.01,
      },
      pricing: {
        currency: 'USD',
        unit_tokens: 1_000_000,
        ask,
        bid,
        last,
        vwap_24h: last,
        vwap_7d: last,
        input_per_token: perToken,
        output_per_token: perToken,
      },
      supported_endpoints: ['/v1/chat/completions'],
      recently_served: [],
      zero_data_retention: true,
      funded: null,
    };
  }

  instrument() {
    const at = '2026-01-01T00:00:00.000Z';
    return {
      instrument_id: `instrument-${this.symbol}`,
      id: `instrument-${this.symbol}`,
      symbol: this.symbol,
      name: this.name,
      description: this.name,
      instrument_type: 'ai_commodity',
      precision: 0,
      is_active: true,
      status: 'active',
      created_at: at,
      updated_at: at,
      basic_info: {},
      volume_24h: this.volume,
    };
  }
}

/** All books, and the lists drawn from them. */
export const createMarket = ({ isEmpty }) => {
  const random = randomOf(7);
  const books = new Map(rows.map((row) => [row[0], new Book(row, { random, isEmpty })]));
  return {
    books,
    random,
    tick: (nowMs) => {
      for (const book of books.values()) book.tick(nowMs);
    },
    models: () => [...books.values()].map((book) => book.model()),
    instruments: () => [...books.values()].map((book) => book.instrument()),
  };
};

/** Decimal without trailing zeros of an amount in 10^-10 USD. */
const minimal = (scaled) => {
  const digits = scaled.toString().padStart(11, '0');
  return `${digits.slice(0, -10)}.${digits.slice(-10)}`.replace(/\.?0+$/, '');
};

const drawOf = (random, { tokens, ticks, serial, supplier }) => ({
  lot_id: idOf(random, 'lot'),
  trade_id: idOf(random, 'trade'),
  unit_from: serial,
  unit_to: serial,
  supplier_id: idOf(random, 'supplier'),
  supplier,
  acquisition_price_per_unit: price(ticks),
  acquisition_price_per_token: minimal(BigInt(ticks)),
  tokens,
  subtotal: minimal(BigInt(tokens) * BigInt(ticks)),
});

const endings = [
  { status: 'reconciled', finish: 'stop' },
  { status: 'reconciled', finish: 'stop' },
  { status: 'reconciled', finish: 'length' },
  { status: 'error', finish: null, code: 'upstream_timeout' },
  { status: 'reconciled', finish: 'client_disconnect' },
  { status: 'reconciled', finish: 'stop' },
];

const receiptOf = (random, index) => {
  const ending = endings[index % endings.length];
  const isError = ending.status === 'error';
  const inputTokens = between(random, 20, 9_000);
  const outputTokens = isError ? 0 : between(random, 10, 2_400);
  const totalTokens = inputTokens + outputTokens;
  const split = index % 3 === 1 ? Math.floor(totalTokens * 0.4) : totalTokens;
  const supplier = index % 4 === 2 ? 'Example Inference' : 'Built-in supplier';
  const draws = [drawOf(random, { tokens: split, ticks: 25_000, serial: 101 + index, supplier })];
  if (split < totalTokens) {
    draws.push(drawOf(random, { tokens: totalTokens - split, ticks: 27_013, serial: 230 + index, supplier }));
  }
  const breakdown = isError ? [] : draws;
  const scaled = breakdown.reduce((sum, draw) => sum + BigInt(Math.round(Number(draw.subtotal) * 1e10)), 0n);
  const createdMs = Date.now() - (index * index + index) * 9_000 - 4_000;
  const durationMs = between(random, 300, 14_000);
  return {
    request_id: idOf(random, 'req'),
    status: ending.status,
    requested_model: index % 2 ? 'text-prime' : 'text-standard',
    serving_model: isError ? null : 'opengrid/ngram-1',
    endpoint: '/v1/chat/completions',
    api_key_id: idOf(random, 'key'),
    created_at: new Date(createdMs).toISOString(),
    usage: {
      input_tokens: inputTokens,
      output_tokens: outputTokens,
      total_tokens: totalTokens,
      reasoning_tokens: 0,
      cache_read_tokens: 0,
      cache_write_tokens: 0,
      cached_input_tokens: 0,
    },
    usage_source: 'supplier',
    cost: {
      amount: isError ? null : minimal(scaled),
      currency: 'USD',
      status: isError ? 'cancelled' : 'reconciled',
      effective_price_per_token: isError ? null : '0.0000025',
      metering_policy_version: 'og-1',
      reconciled_at: new Date(createdMs + durationMs).toISOString(),
      breakdown,
    },
    timing: {
      ttft_ms: isError ? null : between(random, 90, 700),
      tokens_per_second: isError ? null : 80 + random() * 90,
      duration_ms: durationMs,
    },
    instrument_id: 'instrument-text-standard',
    spec_version: 1,
    served_by: isError
      ? null
      : {
          supplier_id: idOf(random, 'supplier'),
          supplier,
          substituted: index % 4 === 2,
          qualification: 'waived',
        },
    in_spec: isError ? null : true,
    spec_waived: true,
    stream: true,
    finish_reason: ending.finish,
    error_code: ending.code ?? null,
  };
};

/** Receipts of one account, newest first. */
export const receiptsOf = ({ random }) => Array.from({ length: 12 }, (_, index) => receiptOf(random, index));
