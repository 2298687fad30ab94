// Package frame is RFC 6455 and RFC 7692 (permessage-deflate) on bytes: it reads the
// frames and messages of a WebSocket connection, and makes those to be written. It has no
// goroutine and no lock: a connection has one reader at a time and one writer at a time,
// and its owner keeps to that. The handshake is the owner's too, but for the negotiation
// of compression.
//
// # Reading
//
// A [Reader] returns the frames one by one as they come. Most messages are one frame:
// such a message is taken from the Reader's buffer without a copy or an allocation. A
// message in several frames, a compressed one and a long one are a [Message], which is an
// io.Reader.
//
//	r.Await()
//	h, err := r.Next()
//	switch {
//	case err != nil:
//	case h.Opcode.Control():
//		payload, err = r.Payload(h)
//	case h.Lone() && h.Length <= min(limit, frame.MaxPayload):
//		payload, err = r.Payload(h)
//	default:
//		payload, err = r.Message(h, limit, control).ReadAll(nil)
//	}
//
// The Reader guarantees:
//
//   - Every frame and message that the RFCs forbid is an [*Error] with the code to close
//     with, and is found no later than its first bad byte is asked for: masks, reserved
//     bits, opcodes, lengths, fragments, text that is not UTF-8, compressed data that is
//     corrupt or ends too early.
//   - The verdict on a stream does not depend on the pieces in which it comes.
//   - A message is whole or is an error. A stream that breaks off is [ErrCut], wherever
//     it breaks off.
//   - No memory is taken because a length was announced, nor for data over the limit, be
//     it compressed or not.
//   - Compressed data may have final blocks, and go on after them in the same message and
//     in the next.
//
// # Writing
//
// [AppendFrame], [AppendHeader] and [Seal] make frames; a client's are masked with [Keys]
// that cannot be foreseen. A [Deflater] compresses their payloads.
//
// # Negotiation
//
// [Params] are the wish of one side and the outcome alike: [Params.Offer] and
// [Params.Check] are the client's, [Params.Answer] is the server's.
package frame
