package session

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource/hub"
)

// TestMemberLingersBehindItsSession: whichever side ends a session, and however its
// handler hears of that, the member is in the room for the linger alone.
func TestMemberLingersBehindItsSession(t *testing.T) {
	t.Parallel()
	const linger = 10 * time.Second
	for name, handle := range map[string]func(ctx context.Context, s *text, member *hub.Membership[string, string, string]) error{
		"the handler returns": func(context.Context, *text, *hub.Membership[string, string, string]) error { return nil },
		"the handler waits for the end": func(ctx context.Context, _ *text, _ *hub.Membership[string, string, string]) error {
			<-ctx.Done()
			return nil
		},
		"the member says the values that come": func(
			ctx context.Context, s *text, member *hub.Membership[string, string, string],
		) error {
			<-s.Subscribe(ctx, member).Done()
			return nil
		},
		"the member says the values that come, for each": func(
			ctx context.Context, s *text, member *hub.Membership[string, string, string],
		) error {
			return observable.ForEach(ctx, s, member.Next)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				rooms := hub.New(hub.Config[string, string, string]{Linger: linger})
				room := rooms.Room("lobby")
				s := newSite(t, ServerConfig[string]{}, func(ctx context.Context, s *text) error {
					member, err := room.Join(ctx, s.Peer(), "ann", hub.JoinOptions{})
					if err != nil {
						return err
					}
					return handle(ctx, s, member)
				})
				client := s.client(nil)
				w := watch(client).listen()
				wait(time.Second)
				_ = client.Shutdown(context.Background())
				ended, _ := w.end()
				assert.True(t, ended)
				present := func() int {
					members, err := room.Members(t.Context())
					require.NoError(t, err)
					return len(members)
				}
				synctest.Wait()
				wait(linger / 2)
				assert.Equal(t, 1, present())
				wait(linger)
				assert.Zero(t, present())
				require.NoError(t, rooms.Shutdown(context.Background()))
			})
		})
	}
}
