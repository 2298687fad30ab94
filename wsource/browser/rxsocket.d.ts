// The types of rxsocket.js.

/** SocketError is the error of this module. */
export class SocketError extends Error {
  constructor(code: string, message: string, details?: object);
  /**
   * The cause: connection_lost, closed, deadline_exceeded, overflow, undelivered, empty,
   * credit_exceeded, protocol, unsupported; for an event that cannot be used, a code of wsource/event.
   */
  readonly code: string;
  /** For connection_lost and closed: the end of the connection. */
  readonly close?: Close;
  /** For undelivered: the session has ended, and the message may have arrived or not. */
  readonly unsure?: boolean;
  /** For undelivered: the event or value that was not sent. */
  readonly event?: Event;
  readonly value?: unknown;
}

/**
 * RemoteError is a failure that the peer reports: of a question, a subscription, an
 * event.
 */
export class RemoteError extends SocketError {
  /** The id of the question or event. */
  readonly corr?: string;
  /** The topic that the peer refuses. */
  readonly topic?: string;
}

/** PublicError is the error of an answer that the peer gets as it is. */
export class PublicError extends SocketError {
  constructor(code: string, message: string);
}

export interface Observer<T> {
  next?(value: T): void;
  error?(error: any): void;
  complete?(): void;
}

export interface Subscription {
  unsubscribe(): void;
  readonly closed: boolean;
}

/**
 * Stream is an observable. RxJS's `from` takes it, and `for await`: a loop that is 1,024 values
 * behind fails with the code overflow, except over a stream of askMany, whose peer waits.
 */
export class Stream<T> implements AsyncIterable<T> {
  constructor(start: (sink: Required<Observer<T>> & { readonly closed: boolean }) => void | (() => void));
  subscribe(observer?: Observer<T> | ((value: T) => void)): Subscription;
  [Symbol.asyncIterator](): AsyncIterableIterator<T>;
  "@@observable"(): this;
}

export interface Close {
  code?: number;
  reason?: string;
  /** The error of making the URL or the socket. */
  error?: unknown;
}

/** Status is the state of the connection. */
export type Status =
  | { state: "connecting"; attempt: number }
  /**
   * With sessions, the state of the session; for a gap, the number of missing messages.
   */
  | { state: "open"; session?: "fresh" | "recovered" | "gap"; missed?: number }
  /**
   * delay is the time until the next attempt, advised the server's part of it, in
   * milliseconds.
   */
  | ({ state: "waiting"; delay: number; advised: number } & Close)
  /**
   * Without an error, this side has closed, or the server with 1000 or without a code.
   */
  | { state: "closed"; error?: SocketError };

export interface Options {
  /** The subprotocols to offer. */
  protocols?: string | string[];
  /** To speak rxsocket.session.v1: nothing is lost when a connection breaks. */
  session?: boolean;
  /** The class of sockets. Default: the global WebSocket. */
  WebSocket?: new (url: string, protocols?: string | string[]) => any;
  /**
   * Whether to reconnect after a close. Default: after 1001, 1006 and 1011 to 1014; with sessions,
   * after all but 1000, 1002, 1008, 4409 and 4413.
   */
  reconnect?(close: { code: number; reason: string }): boolean;
  /**
   * The back-off: at random up to minDelay, doubled by each failure up to maxDelay; in
   * milliseconds. Default: 500 and 30,000.
   */
  minDelay?: number;
  maxDelay?: number;
  /**
   * The bounds of the queue: messages, and characters of all. Default: 1,024 and
   * 1,048,576.
   */
  maxQueued?: number;
  maxQueuedBytes?: number;
}

export interface Event<T = any> {
  readonly id: string;
  readonly type: string;
  /** Milliseconds since 1970. */
  readonly created?: number;
  readonly source?: string;
  readonly topic?: string;
  readonly corr?: string;
  /** A Uint8Array if the event has data_base64. */
  readonly data: T;
  readonly [other: string]: unknown;
}

export interface Question {
  /**
   * The time to wait, in milliseconds. 0, or over 24 days, is for ever. Default: 10,000
   * for ask, 0 for askMany.
   */
  timeout?: number;
  /** Its abort cancels the question, at the peer, too. */
  signal?: AbortSignal;
}

/** Connection is named events over WebSockets, one after the other. */
export interface Connection {
  /** Starts with the current status. */
  readonly status: Stream<Status>;
  /** The errors of single events. They go to the console if nobody subscribes. */
  readonly errors: Stream<SocketError>;
  /** The events without a listener. */
  readonly unheard: Stream<Event>;
  /** The data of the events of a type. */
  on<T = any>(type: string): Stream<T>;
  /** The events of a type, with all their fields. */
  events<T = any>(type: string): Stream<Event<T>>;
  /**
   * Sends an event, or queues it for a connection, and returns its id. It throws overflow
   * and closed.
   */
  emit(type: string, data?: unknown, options?: { topic?: string; source?: string }): string;
  /** The observer that emits each value. */
  emitter(type: string): Required<Observer<unknown>>;
  /**
   * The events under a topic or a pattern ("orders.*", "orders.>") of a server's PubSub.
   */
  topic<T = any>(pattern: string): Stream<Event<T>>;
  /** Emits an event under a topic. */
  publish(topic: string, type: string, data?: unknown): string;
  /** Asks a question, and resolves with its answer. */
  ask<A = any>(type: string, data?: unknown, options?: Question): Promise<A>;
  /**
   * The values that answer a question. At most window of them wait here for a loop.
   * Default: 64.
   */
  askMany<A = any>(type: string, data?: unknown, options?: Question & { window?: number }): Stream<A>;
  /**
   * Makes f answer the peer's questions of a type; with a stream, if it returns an
   * AsyncIterable.
   */
  answer<Q = any>(
    type: string, f: (question: Q, context: { signal: AbortSignal; event: Event<Q> }) => unknown,
  ): { unsubscribe(): void };
  /** Ends the connection for good. All streams complete. */
  close(code?: number, reason?: string): void;
}

/** A relative url belongs to the page's origin. A function is called for each attempt. */
export function connect(
  url: string | URL | (() => string | URL | Promise<string | URL>), options?: Options & { source?: string },
): Connection;

export interface Position {
  readonly epoch: string;
  readonly offset: number;
}

/** RoomEvent is an event of a room, as in wsource/hub. */
export interface RoomEvent<T = any, M = any> {
  readonly kind: "said" | "welcome" | "entered" | "left" | "changed";
  readonly room: any;
  readonly position: Position;
  readonly at: string;
  readonly member?: string;
  readonly meta?: M;
  readonly value?: T;
  readonly private?: boolean;
  readonly recovery?: "fresh" | "recovered" | "gap" | "too old";
  readonly missed?: number;
  readonly replayed?: number;
  readonly members?: { key: string; meta?: M }[];
}

/** Room is one room of a hub. After a break it goes on from its last position. */
export interface Room<T = any, M = any> {
  readonly status: Stream<Status>;
  readonly errors: Stream<SocketError>;
  /** All events, the welcome of each connection included. */
  readonly events: Stream<RoomEvent<T, M>>;
  /** The events of kind said. */
  readonly said: Stream<RoomEvent<T, M>>;
  /** The members that are present, with their meta. Starts with the known members. */
  readonly members: Stream<Map<string, M>>;
  readonly position: Position | undefined;
  /** Sends the server a value as JSON. Its meaning there is the application's. */
  send(value: unknown): void;
  close(code?: number, reason?: string): void;
}

/** SharedState is a room of hub.NewStates. */
export interface SharedState<V = any, M = any> extends Room<any, M> {
  /**
   * The map that all members share, when it is whole and after each change. Starts with
   * the current map.
   */
  readonly maps: Stream<Map<string, V>>;
  get(key: string): V | undefined;
}

/**
 * The position goes into the query of the url as epoch and offset, or to the function that makes
 * the url; it is undefined at first.
 */
export type RoomURL = string | URL | ((position?: Position) => string | URL | Promise<string | URL>);

export function joinRoom<T = any, M = any>(url: RoomURL, options?: Options): Room<T, M>;
export function joinState<V = any, M = any>(url: RoomURL, options?: Options): SharedState<V, M>;

/** The milliseconds that the reason of a close asks to wait, or 0. */
export function retryAfter(reason?: string): number;
/** A UUID, version 7. */
export function newID(): string;
