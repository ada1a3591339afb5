# Parts of a huge page mapping: unmapped, protected, locked, given back; who pays at the end.
machine nodes=2 node_mem=768M
pool 2M node0 8
pool 2M node1 6
spawn p
@p cpu 0
@p map a 12M hugetlb-2M
@p touch a 0 8M
@p unmap a 2M 2M
@p lock a
@p lock a 0 2M
@p lock a 4M 6M
@p touch a 2M 2M
@p protect a 0 8M r
@p protect a 4M 4M r
@p touch a 4M 8M
@p protect a 4M 8M none
@p touch a 4M 8M r
@p protect a 4M 8M rw
@p touch a 4M 8M
@p bind a bind:1
@p bind a bind:1
@p advise a 4M 4M dontneed
@p touch a 4M 4M
@p fork q
@q unmap a 4M 2M
@q touch a 6M 2M
@p unmap a 6M 4M
@q unmap a 8M 4M
@p unmap a 4M 8M
@p unmap a 4M 8M
@p touch a
@q unmap a
@p map b 8M hugetlb-2M file=b shared
@p touch b 2M 2M
@p unmap b 0 2M
@p protect b 2M 4M r
@p touch b 0 8M
@p fork r
@r touch b 6M 2M
@r protect b 4M 2M rw
@r touch b 4M 2M
@p unmap b
unlink_hugetlb b
@r unmap b 2M 4M
@r exit
@q exit
@p move a 1
@p exit
