package event

import "time"

// CloudEvents returns the codec of envelopes in the JSON form of CloudEvents 1.0, in text
// messages. Created is their "time", Topic their "subject"; Corr, Credit and Timeout are
// extension attributes of those names in lower case. Other attributes, such as
// "datacontenttype", are in Extra. Every event has an "id" and a "source" there, even the
// protocol's own: without a [Config.Source] the source is "/".
func CloudEvents() Codec { return jsonCodec{cloud{}} }

// cloud is the dialect of CloudEvents.
type cloud struct{}

func (cloud) name() string { return "CloudEvents JSON" }

func (cloud) field(name []byte) field {
	switch string(name) {
	case "specversion":
		return fieldSpec
	case "id":
		return fieldID
	case "type":
		return fieldType
	case "time":
		return fieldTime
	case "source":
		return fieldSource
	case "subject":
		return fieldTopic
	default:
		return common(name)
	}
}

// timestamp sets the time, from the form of RFC 3339.
func (p *parser) timestamp(value []byte) *EnvelopeError {
	var text string
	if err := p.text(&text, []byte("time"), value); err != nil || text == "" {
		return err
	}
	created, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return p.malformed("time", "is not as in RFC 3339")
	}
	p.envelope.Created = created
	return nil
}

func (cloud) missing(seen uint32, e *Envelope) *EnvelopeError {
	switch {
	case seen&fieldSpec.bit() == 0:
		return &EnvelopeError{Code: CodeVersion, Field: "specversion", Problem: "is missing"}
	case e.ID == "":
		return &EnvelopeError{Code: CodeMissingID, Field: "id", Problem: "is missing"}
	}
	return nil
}

func (cloud) begin(out []byte, e *Envelope) []byte {
	out = append(out, `"specversion":"1.0"`...)
	const mark = 0 // a field is there already
	id, source := e.ID, e.Source
	if id == "" {
		id = NewID()
	}
	if source == "" {
		source = "/"
	}
	out = appendField(out, mark, "id", id)
	out = appendField(out, mark, "type", e.Type)
	out = appendField(out, mark, "source", source)
	if !e.Created.IsZero() {
		out = append(e.Created.UTC().AppendFormat(append(out, `,"time":"`...), time.RFC3339Nano), '"')
	}
	out = appendField(out, mark, "subject", e.Topic)
	return appendCommon(out, mark, e)
}
