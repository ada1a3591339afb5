# virtio-mem takes memory back in which surplus pages are, free and in use, and blocks whose free pages are dissolved.
# tolerance 4%
machine nodes=2 node_mem=1G virtio_mem=1:1G:512M kernel_args="memhp_default_state=online_movable"
sleep 3000
overcommit 2M 300
pool 2M node0 40
spawn p
@p cpu 1
@p map s 400M hugetlb-2M file=s shared policy=bind:1
@p touch s 0 160M
pool 2M node1 30
virtio_mem 384M
@p map t 80M hugetlb-2M policy=bind:0
@p touch t
virtio_mem 256M
pool 2M node1 0
@p unmap t
virtio_mem 0
pool 2M all 60
@p unmap s
unlink_hugetlb s
pool 2M all 20
@p exit
pool 2M all 0
