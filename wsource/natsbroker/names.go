package natsbroker

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
)

// MaxNameBytes is the most bytes of the key of a room or a member, as a string or in
// JSON. NATS bounds the names of streams.
const MaxNameBytes = 128

// token returns the name of a room or a member as a part of a subject and of a stream's
// name, both of which allow few characters.
func token[K comparable](key K) (string, error) {
	name, ok := any(key).(string)
	if !ok {
		text, err := json.Marshal(key)
		if err != nil {
			return "", err
		}
		name = string(text)
	}
	if len(name) > MaxNameBytes {
		return "", ErrNameTooLong
	}
	if name == "" {
		return "=", nil
	}
	return base64.RawURLEncoding.EncodeToString([]byte(name)), nil
}

// digest returns the key of a compacted value as a part of a subject, of any size.
func digest(key any) (string, error) {
	text, err := json.Marshal(key)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return base64.RawURLEncoding.EncodeToString(sum[:]), nil
}

// legal reports whether a broker may have that name.
func legal(name string) bool {
	for _, c := range name {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return name != "" && len(name) <= 32
}
