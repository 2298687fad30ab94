package event

import (
	"encoding/json"
	"math"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestWholeNumbers: numbers are written and read as by encoding/json, which does not see most of them.
func TestWholeNumbers(t *testing.T) {
	t.Parallel()
	values := JSONValues()
	for _, n := range []int64{0, 1, -1, 10, 999_999_999_999_999_999, -1_000_000_000_000_000_000, math.MaxInt64, math.MinInt64} {
		for _, value := range []any{n, int(n)} {
			data, binary, err := values.Encode(value)
			require.NoError(t, err)
			assert.False(t, binary)
			assert.Equal(t, strconv.FormatInt(n, 10), string(data))
		}
	}
	for _, data := range []string{
		"0", "-0", "7", "-7", "00", "01", "-01", "-", "+1", "1.0", "1e3", "1x", " 1", "1 ", "null", `"1"`, "true", "--1", "", "4294967296",
		"999999999999999999", "1000000000000000000", "-999999999999999999", "9223372036854775807", "9223372036854775808",
	} {
		long, short, wantLong, wantShort := int64(5), 5, int64(5), 5
		errLong, errShort := values.Decode([]byte(data), false, &long), values.Decode([]byte(data), false, &short)
		if data != "" { // which is null
			assert.Equal(t, json.Unmarshal([]byte(data), &wantLong), errLong, data)
			assert.Equal(t, json.Unmarshal([]byte(data), &wantShort), errShort, data)
		}
		assert.Equal(t, wantLong, long, data)
		assert.Equal(t, wantShort, short, data)
	}
}
