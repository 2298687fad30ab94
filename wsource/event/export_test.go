package event

// AnswersOf returns the number of answers under way on the connection of a Conn.
func AnswersOf(c *Conn) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.link == nil {
		return 0
	}
	return len(c.link.answers)
}
