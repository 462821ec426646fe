package storagetest

import (
	"context"
	"testing"
)

func movingRoom(t *testing.T, place func(t *testing.T) RegistryPlace) {
	t.Run("Room/SaysHowMuchIsFree", func(t *testing.T) {
		t.Parallel()
		m, _ := place(t).move(t)
		room, err := m.Room(context.Background())
		must(t, err)
		if room.Known != (room.Free > 0) {
			t.Errorf("the room is %+v", room)
		}
	})
}
