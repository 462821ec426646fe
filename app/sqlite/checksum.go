package sqlite

import (
	"encoding/binary"
	"hash/crc32"

	"tenantry/app"
)

// castagnoli is CRC-32C, for which processors have an instruction.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checksum is the CRC-32C of a document as it is stored, and of whose it is:
// SQLite notices a flipped bit only where it breaks the structure of a page,
// and a row in the wrong table not at all. Lengths go in too, so that nothing
// can move from one field to the next.
func checksum(org app.OrganizationID, d *app.Document) uint32 {
	var numbers [6 * 8]byte
	for i, n := range [6]int64{
		d.Revision, d.CreatedAt.UnixMilli(), d.UpdatedAt.UnixMilli(),
		int64(len(org)), int64(len(d.ID)), int64(len(d.Type)),
	} {
		binary.LittleEndian.PutUint64(numbers[i*8:], uint64(n))
	}
	sum := crc32.Update(0, castagnoli, numbers[:])
	sum = crc32.Update(sum, castagnoli, []byte(org))
	sum = crc32.Update(sum, castagnoli, []byte(d.ID))
	sum = crc32.Update(sum, castagnoli, []byte(d.Type))
	return crc32.Update(sum, castagnoli, d.Data)
}
