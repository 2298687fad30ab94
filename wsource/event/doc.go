// Package event has named events over a socket: the uses of Socket.IO or SignalR, as
// streams. It is the same on both sides.
//
//	conn := event.New(socket, nil)
//	orders := event.OnValue[Order](conn, "order_placed")  // an observable
//	confirm := event.Emit[Order](conn, "order_confirmed") // an observer
//	operators.Filter(orders, valid).Subscribe(ctx, confirm)
//	event.Answer(conn, "price", price)                    // questions that the peer asks
//	conn.Connect(ctx)                                     // from now on it is read
//
//	stock, err := event.Ask[int](ctx, conn, "stock", "apples") // a question with one answer
//	prices := event.AskMany[Price](conn, "prices", "apples")   // or with a stream of them
//
// The peer knows how long an answer is wanted, and when it is not wanted any more. A slow
// subscriber of a stream stops the other side's producer, and nothing else on the
// connection.
//
// # Several peers
//
// [Relay] tells all participants the events of one of them. [PubSub] tells the
// subscribers of a topic. [Queue] tells one of a group of workers, which acknowledges the
// job. They are for the side of the server. On several nodes they go through a broker:
// package natsbroker has one for each.
//
// # Delivery
//
//	API              may be lost                               may come twice        sign
//	Emit, Send       values that a connection's end cuts off   no                    Send, Undelivered of the stream below
//	Ask              the answer, when the connection ends      no                    AskError.Outcome
//	AskMany          the rest, when the connection ends        no                    AskError
//	Relay, EmitTo    values that a slow socket has no room for no                    the policy of the hub: 1013, Losses
//	PubSub           the same; values between two              retained values,      the policy: 1013, Losses
//	                 connections, but for retained ones        at each subscription
//	Queue            nothing, while the process lives,         a job whose worker    Job.Attempts; the ID of the job
//	                 or its Broker                             is lost or too slow
//
// # Errors
//
// An event that cannot be used is an error of its own; both sides are told: this one by
// [Conn.Errors], the other one by an event. A peer that sends too many of them is closed
// with 1008.
//
//	event                                              code               counted against the peer
//	no JSON object, a field that is wrong or doubled   malformed          yes
//	another version                                    unknown_version    yes
//	no id, no type                                     missing_id, missing_type    yes
//	an envelope, a name or a list of fields too long   too_long           yes
//	a type of the protocol that is not known           reserved_type      yes
//	data that does not fit                             bad_data           yes
//	a question with the id of one under way            duplicate_id       yes
//	an answer to nothing                               no_such_question   yes
//	more values than were asked for                    credit_exceeded    yes
//	a topic that is malformed                          bad_topic          yes
//	an error about nothing that was asked              (not told)         yes
//	a topic that is not allowed, one too many          forbidden, too_many_topics     no
//	a question that nobody answers                     unknown_type       no
//	too many questions at a time                       busy               no
//	an answer to a question that was given up          (not told)         no
//
// Values of a stream are on their way when it is given up, up to its window. Conn.Errors
// has the first one alone, as a [*StrayError] that is Late. Neither the others nor this
// one count against the peer; those beyond the window are answers to nothing.
//
// # Limits
//
//	limit                                    default         set by
//	a message                                1 MiB           MaxBytes
//	an id, type, source, topic               256 bytes
//	the fields of an envelope                64
//	bad events in a minute                   60              MaxErrors
//	how long Ask waits                       10 s            AskTimeout, its context
//	questions of the peer under way,         256             MaxAnswers
//	  or cancelled and not over yet
//	questions given up that are remembered   4096
//	values of a stream that wait             64              Window
//
// # The protocol
//
// An event is a JSON object in a text message. [CloudEvents] is another form of it.
//
//	{"id":"69688550-5be2-41e4-a057-b9da2d59eb03","type":"order_placed","created":1676554735324,
//	 "source":"alice","data":{"id":5}}
//
//	field         meaning
//	id            name of the event; a UUID, version 7, unless the application has its own
//	type          kind of the event, as "order_placed"
//	created       milliseconds since 1970, as Date.now() has it; a number, or a string of digits
//	source        maker of the event; optional
//	corr          id of the event that this one is about; optional
//	topic         topic that it is published under; optional
//	pattern       pattern that the receiver has subscribed to, if it is not the topic itself
//	data          the value; optional
//	data_base64   the value in place of data, if it is not JSON
//	credit        how many values may answer: it makes the event a question
//	timeout       for how many milliseconds from now an answer is wanted; optional
//	v             version of the protocol, 1; optional
//
// Other fields are kept. The types that begin with "rx." are the protocol's own; these
// need no id, and corr is that of the question:
//
//	type           from       meaning
//	rx.reply       answerer   data is the only value, or the last one: nothing follows
//	rx.next        answerer   data is a value; each one takes 1 of the credit
//	rx.complete    answerer   there are no more values
//	rx.error       both       the question, or the event, has failed: data is {"code":..., "message":...}
//	rx.cancel      asker      no answer is wanted any more; the answerer says nothing more
//	rx.credit      asker      credit more values may come
//	rx.subscribe   client     topic is wanted; the answer is rx.subscribed with the topic, or rx.error
//	rx.unsubscribe client     topic is not wanted any more
//
// A question ends with the first of rx.reply, rx.complete, rx.error and rx.cancel. Events
// that were on their way at the cancel are dropped. A browser needs no library for the
// protocol:
//
//	const ws = new WebSocket("wss://shop.example/events"), on = {}, asked = {}
//	const send = e => ws.send(JSON.stringify({ id: crypto.randomUUID(), created: Date.now(), ...e }))
//	const emit = (type, data) => send({ type, data })
//	const ask = (type, data, timeout = 10000) => new Promise((resolve, reject) => {
//	  const id = crypto.randomUUID()
//	  asked[id] = { "rx.reply": resolve, "rx.next": resolve, "rx.error": reject }
//	  send({ id, type, data, credit: 1, timeout })
//	})
//	ws.onmessage = ({ data }) => { const e = JSON.parse(data); (asked[e.corr]?.[e.type] ?? on[e.type])?.(e.data) }
//
//	on.order_confirmed = order => console.log("confirmed", order)
//	ws.onopen = async () => {
//	  emit("order_placed", { id: 5 })
//	  console.log(await ask("stock", "apples"))
//	}
package event
