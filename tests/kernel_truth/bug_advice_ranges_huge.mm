# madvise on huge pages: unaligned ranges, read-only and inaccessible parts, holes.
machine nodes=1 node_mem=1G
pool 2M node0 12
spawn p
@p cpu 0
@p map a 8M hugetlb-2M
@p touch a
@p advise a 1M 2M dontneed
@p advise a 0 1M dontneed
@p advise a 0 3M dontneed
@p advise a 3M 1M dontneed
@p touch a 0 4M
@p advise a 0 0 dontneed
@p advise a 0 2M remove
@p advise a 1M 2M remove
@p advise a 0 2M hugepage
@p advise a 0 2M nohugepage
@p advise a 1M 2M free
@p advise a 1M 2M populate_read
@p advise a 1M 2M populate_write
@p protect a 2M 2M r
@p advise a 0 8M dontneed
@p advise a 0 8M populate_write
@p advise a 0 8M populate_read
@p protect a 4M 2M none
@p advise a 4M 4M populate_read
@p advise a 4M 4M dontneed
@p unmap a 4M 2M
@p advise a 0 8M populate_read
@p advise a 0 8M dontneed
@p touch a
@p protect a 1M 2M r
@p unmap a 1M 2M
@p unmap a 0 3M
@p map f 8M hugetlb-2M file=f shared
@p touch f 0 4M
@p advise f 0 2M free
@p advise f 1M 3M remove
@p advise f 0 3M remove
@p advise f 0 2M remove
@p protect f 2M 2M r
@p advise f 2M 2M remove
@p advise f 4M 4M populate_read
@p protect f 4M 2M none
@p advise f 4M 2M remove
@p advise f 4M 4M dontneed
@p advise f 4M 4M populate_write
@p lock f 0 4M
@p lock f 1M 2M
@p advise f 0 8M dontneed
@p unmap f
unlink_hugetlb f
@p unmap a
@p exit
