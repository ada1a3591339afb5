# Gigantic pages: policies, moves, forks, mounts, holes, populating.
# tolerance 2%
machine nodes=2 node_mem=4G
thp enabled never
overcommit 2M 4
pool 1G all 3
mount_hugetlbfs /g pagesize=1G,size=1G,min_size=1G
spawn p
@p cpu 1
@p map a 2G hugetlb-1G policy=bind:1
@p touch a
@p map b 1G hugetlb-1G noreserve populate
@p advise a 0 2G populate_write
@p advise a 0 1536M dontneed
@p advise a 0 2G free
@p advise a 1G 512M populate_read
@p protect a 0 512M r
@p protect a 0 1G r
@p touch a
@p move a 0
@p lock a
@p unmap a 1G 1G
@p map c 1G hugetlb-1G file=/g/c shared
@p touch c
@p map d 1G hugetlb-1G file=/g/d
@p fork q
@q touch a r
@q touch c
@p advise c 0 1G remove
@q touch c
@q exit
@p unmap c
unlink /g/c
umount /g
pool 1G node0 0
demote 1G node1 1
@p unmap a
pool 1G all 1
@p exit
pool 1G all 0
pool 2M all 0
