# Many names, parents and children: who keeps a file, its pages and its reservations alive.
machine nodes=1 node_mem=1G
pool 2M node0 12
spawn p
@p cpu 0
@p map a 6M hugetlb-2M file=x shared
@p touch a 0 2M
@p fork q
@p unmap a
unlink_hugetlb x
@q touch a
@q fork r
@q exit
@r punch a 0 2M
@r touch a r
@r exit
spawn s
@s map b 8M hugetlb-2M file=y shared
@s unmap b 0 4M
@s unmap b 4M 4M
@s map b2 8M hugetlb-2M file=y
@s touch b2
@s unmap b2
@s touch b
@s punch b 0 4M
@s fallocate b 0 2M
@s truncate b 4M
@s lock b
@s bind b bind:0
@s bind b default
@s protect b 0 2M r
@s advise b 0 2M dontneed
@s advise b 0 8M populate_read
@s move b 0
@s unmap b
unlink_hugetlb y
@s map c 4M hugetlb-2M file=z shared
@s map d 4M hugetlb-2M file=z shared
@s touch c
@s touch d
@s unmap c
@s fork t
@s exit
@t unmap d
unlink_hugetlb z
@t exit
pool 2M node0 0
