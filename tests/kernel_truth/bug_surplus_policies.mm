# Overcommit: reservations that make surplus pages, mounts, copies, policies; nodes where the surplus is.
machine nodes=3 node_mem=768M
overcommit 2M 6
spawn p
@p cpu 2
@p map a 8M hugetlb-2M file=a shared
@p touch a 0 4M
@p punch a 0 2M
@p map b 6M hugetlb-2M policy=bind:0
@p map b2 4M hugetlb-2M policy=bind:0
@p touch b
@p unmap b 0 2M
pool 2M node1 2
@p policy bind:1
@p map c 6M hugetlb-2M
@p touch c
pool 2M all 4
overcommit 2M 10
@p map d 8M hugetlb-2M noreserve policy=interleave:0-1
@p touch d
@p fork q
@q cpu 0
@q touch c
@p touch c
@q touch d 0 2M
pool 2M node2 0
pool 2M all 6
@q exit
pool 2M node0 1
@p unmap d
@p unmap a
unlink_hugetlb a
mount_hugetlbfs /m pagesize=2M,min_size=6M
mount_hugetlbfs /n pagesize=2M,min_size=40M
pool 2M all 2
umount /m
overcommit 2M 0
@p touch c
@p exit
pool 2M all 0
