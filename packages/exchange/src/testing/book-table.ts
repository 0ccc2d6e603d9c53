import { expect } from 'vitest';
import { BUY, SELL } from '../book/book.ts';
import { PRICE_LIMIT_TICKS } from '../book/price-ladder.ts';
import { BookDriver } from './book-driver.ts';
import type { NaiveMessage, NaivePrevention, NaiveReport } from './naive-book.ts';

/**
 * Checks a table of messages and what the book must say. A message is `<side> <id> <account> <quantity>@<price> [words]`,
 * `cancel <id>` or `amend <id> <quantity>@<price> [words]`, whose quantity is what is left; the answer is fills as
 * `<maker>:<quantity>@<price>`, then how the message ended, then both sides of the book as `<price>:<quantity>/<orders>`,
 * bids before the bar and asks behind it, best first.
 */
export function table(text: string): void {
  const driver = new BookDriver();
  for (const line of text.split('\n').map((one) => one.trim())) {
    if (line === '') continue;
    const [message, expected] = line.split('=>').map((one) => one.trim().replaceAll(/ +/g, ' ')) as [
      string,
      string,
    ];
    expect(`${message} => ${answer(driver, message)}`).toBe(`${message} => ${expected}`);
  }
}

function answer(driver: BookDriver, message: string): string {
  const [verb, id] = message.split(' ') as [string, string];
  if (verb === 'cancel')
    return `${driver.cancel(Number(id)) ? 'cancelled' : 'unknown'} ; ${bookText(driver)}`;
  const report = verb === 'amend' ? amend(driver, message) : driver.submit(parseOrder(message));
  if (report === undefined) return `unknown ; ${bookText(driver)}`;
  const { fills, prevented, end, left } = report;
  const words = [
    ...fills.map(([maker, quantity, price]) => `${maker}:${quantity}@${price}`),
    ...prevented.map((own) => `-${own}`),
    end === 'filled' ? end : `${end} ${left}`,
  ];
  return `${words.join(' ')} ; ${bookText(driver)}`;
}

function amend(driver: BookDriver, message: string): NaiveReport | undefined {
  const [, id, order, ...words] = message.split(' ') as [string, string, string];
  // Owner and side are those of the order: what is written here for them is not looked at.
  return driver.amend(Number(id), parseOrder(['buy', id, 'A', order, ...words].join(' ')));
}

/** An order of a table. Owners are letters. */
export function parseOrder(message: string): NaiveMessage {
  const [side, id, account, order, ...words] = message.split(' ') as [
    NaiveMessage['side'],
    string,
    string,
    string,
  ];
  const [quantity, price] = order.split('@') as [string, string];
  const worst = side === 'buy' ? PRICE_LIMIT_TICKS - 1 : 1;
  const style = words as string[];
  const modes: NaivePrevention[] = ['cancel_oldest', 'cancel_both', 'decrement'];
  return {
    id: Number(id),
    account: account.charCodeAt(0),
    side,
    priceTicks: price === 'market' ? worst : Number(price),
    quantity: Number(quantity),
    life: style.includes('fok') ? 'fok' : style.includes('ioc') || price === 'market' ? 'ioc' : 'gtc',
    postOnly: style.includes('post_only'),
    prevention: modes.find((mode) => style.includes(mode)) ?? 'cancel_newest',
  };
}

function bookText({ book }: BookDriver): string {
  const side = (code: typeof BUY | typeof SELL): string =>
    book
      .depth(code, 100)
      .map(({ priceTicks, quantity, orderCount }) => `${priceTicks}:${quantity}/${orderCount}`)
      .join(' ') || 'empty';
  return `${side(BUY)} | ${side(SELL)}`;
}
