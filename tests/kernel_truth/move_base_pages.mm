# move_pages of base pages: private, mapped read-only, shared by fork, the zero page, and with gaps.
machine nodes=3 node_mem=256M
thp enabled never
spawn p
@p cpu 0
@p map a 1M anon policy=bind:0
@p touch a
@p move a 1
@p move a 1
@p move a 2
@p move a 0
@p map z 256K anon
@p touch z r
@p move z 1
@p touch z 0 64K
@p move z 1
@p map h 512K anon
@p touch h 0 512K 8K
@p move h 2
@p map e 64K anon
@p move e 1
@p protect a 0 512K r
@p move a 2
@p fork q
@q move a 1
@p move a 1
@p touch a 512K 256K
@p move a 1
@q exit
@p move a 1
@p exit
