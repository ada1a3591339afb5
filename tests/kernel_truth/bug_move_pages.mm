# move_pages: to nodes that are not there or full, shared after fork, of pages that are not there.
machine nodes=2 node_mem=1G
pool 2M node0 4
pool 2M node1 2
spawn p
@p cpu 0
@p map a 8M hugetlb-2M
@p touch a 0 6M
@p move a 1
@p move a 0
@p fork q
@p move a 1
@q touch a 0 2M
@p move a 1
@q exit
@p move a 1
overcommit 2M 2
@p move a 1
@p move a 0
overcommit 2M 0
@p move a 0
@p map f 4M hugetlb-2M file=f shared
@p touch f
@p unmap a
@p move f 1
@p fork r
@r touch f
@p move f 0
@p move f 1
@r exit
@p protect f 0 2M none
@p move f 1
@p unmap f 0 2M
@p move f 0
@p unmap f
unlink_hugetlb f
@p exit
